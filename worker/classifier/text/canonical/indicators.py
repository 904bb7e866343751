"""Regional indicators: letters that pair up into flags, and spell words where they do not."""

import re
from collections.abc import Iterator

from worker.classifier.text.canonical.reading import Edit

REGIONS = (
    "ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bl bm bn bo bq br bs bt bv bw by "
    "bz ca cc cd cf cg ch ci ck cl cm cn co cp cq cr cu cv cw cx cy cz de dg dj dk dm do dz ea ec ee eg eh er es et "
    "eu fi fj fk fm fo fr ga gb gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu ic id ie il im "
    "in io iq ir is it je jm jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mf "
    "mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk "
    "pl pm pn pr ps pt pw py qa re ro rs ru rw sa sb sc sd se sg sh si sj sk sl sm sn so sr ss st sv sx sy sz ta tc "
    "td tf tg th tj tk tl tm tn to tr tt tv tw tz ua ug um un us uy uz va vc ve vg vi vn vu wf ws xk ye yt za zm zw"
)
"""Pairs of regional indicators that form a flag (UTS #51, emoji sequences)."""

_FLAGS = frozenset(REGIONS.upper().split())
_FIRST = 0x1F1E6
_INDICATOR = "[\U0001f1e6-\U0001f1ff]"
_LONE = f"(?<!{_INDICATOR}){_INDICATOR}(?!{_INDICATOR})"
_INDICATORS = re.compile(f"{_LONE}(?:[ \u200b-\u200d\u2060]{_LONE})++|{_INDICATOR}{{2,}}+")
FLAG = 2


def indicators(text: str) -> Iterator[Edit]:
    """Regional indicators that spell something; those that pair up into flags stay."""
    for match in _INDICATORS.finditer(text):
        letters = "".join(chr(ord("A") + ord(one) - _FIRST) for one in match[0] if ord(one) >= _FIRST)
        contiguous = len(letters) == len(match[0])
        pairs = [letters[at : at + FLAG] for at in range(0, len(letters), FLAG)]
        flags = contiguous and _FLAGS.issuperset(pairs)
        if not flags and len(letters) > FLAG:  # two with a space between are a broken flag
            yield Edit(match.start(), match.end(), letters, "regional_indicator")
