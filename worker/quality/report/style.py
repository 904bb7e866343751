"""The page's style: one column on a telephone, several on a wide screen; light, dark, and on paper."""

STYLE = """
:root{--bg:#fff;--ink:#1f2328;--soft:#59636e;--line:#d1d9e0;--card:#f6f8fa;--first:#0a5bd3;--second:#b5480a;
--review:#7a4fb5;--act:#10733a;--heat:10,91,211}
@media(prefers-color-scheme:dark){:root{--bg:#0f1216;--ink:#e6e9ed;--soft:#9aa4af;--line:#343b43;--card:#171b21;
--first:#6ea8fe;--second:#f0a15e;--review:#c0a2f2;--act:#5cc98a;--heat:110,168,254}}
*{box-sizing:border-box}
html{color-scheme:light dark;-webkit-text-size-adjust:100%}
body{margin:0 auto;padding:1rem clamp(.75rem,3vw,2.5rem) 3rem;max-width:88rem;background:var(--bg);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
h1{font-size:1.5rem;line-height:1.25;margin:.5rem 0}
h2{font-size:1.2rem;margin:2.5rem 0 .5rem;padding-top:.75rem;border-top:1px solid var(--line);overflow-wrap:anywhere}
h3{font-size:.95rem;margin:1.25rem 0 .35rem}
p,figcaption{margin:.35rem 0;color:var(--soft);max-width:75ch}
a{color:var(--first)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem .9rem;margin:.75rem 0}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
.wide{overflow-x:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.85rem}
th,td{padding:.28rem .45rem;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap}
th:first-child,td:first-child{text-align:left;padding-left:0}
thead th{color:var(--soft);font-weight:600;vertical-align:bottom}
table.names th{white-space:normal}table.names :is(th,td):first-child{white-space:normal;overflow-wrap:anywhere;
min-width:7rem;max-width:12rem}
th.text{text-align:left}
td.text{white-space:pre-wrap;overflow-wrap:anywhere;min-width:14rem;max-width:60ch;text-align:left}
.range{color:var(--soft);font-size:.9em}
.grid-of{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,17rem),1fr));gap:1rem;margin:.75rem 0}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,36rem),1fr));gap:0 1.5rem}
figure{margin:0;padding:.6rem;background:var(--card);border-radius:8px}
figcaption{font-size:.85rem}figcaption b{color:var(--ink)}
svg{display:block;width:100%;height:auto;font:11px system-ui,sans-serif}
.grid{stroke:var(--line);stroke-width:.6;fill:none}
.tick,.axis{fill:var(--soft);text-anchor:middle}.tick.end{text-anchor:end}.axis{fill:var(--ink)}
.line{fill:none;stroke-width:1.8;stroke-linejoin:round}
.line.first{stroke:var(--first)}.line.second{stroke:var(--second)}
.line.dashed{stroke-dasharray:3 3;stroke-width:1.2}
.line.guide{stroke:var(--soft);stroke-width:.8;stroke-dasharray:2 3}.line.thin{stroke:var(--first);stroke-width:1}
.band{fill:var(--first);opacity:.18}.dot{fill:var(--first);opacity:.75}
.mark{stroke:var(--bg);stroke-width:1.5}.mark.review{fill:var(--review)}.mark.act{fill:var(--act)}
.tier{fill:none;stroke-width:1.6}.tier.review{stroke:var(--review)}.tier.act{stroke:var(--act)}
.key{white-space:nowrap}.key::before{content:"";display:inline-block;width:.8em;height:.8em;margin-right:.35em;
border-radius:2px;vertical-align:-.05em;background:currentColor}
.key.first{color:var(--first)}.key.second{color:var(--second)}.key.review{color:var(--review)}.key.act{color:var(--act)}
td.heat{background:rgba(var(--heat),calc(var(--share)*.55))}
@media print{
:root{--bg:#fff;--ink:#000;--soft:#444;--line:#bbb;--card:#fff;--first:#0a5bd3;--second:#b5480a;--review:#7a4fb5;
--act:#10733a;--heat:10,91,211}
body{font-size:10pt;padding:0;max-width:none}table{font-size:.8rem}th,td{padding:.2rem .45rem}
figure{border:1px solid var(--line)}.grid-of{grid-template-columns:repeat(4,1fr)}.wide{overflow:visible}
section.label{break-before:page}figure,tr,dl{break-inside:avoid}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
@page{size:A4 landscape;margin:12mm}
"""
