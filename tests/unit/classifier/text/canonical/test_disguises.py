"""What hides a word from a model and not from a reader is undone, and its name is told."""

import pytest

from worker.classifier.text.canonical import canonical

MATHEMATICAL = {
    "bold": 0x1D41A,
    "italic": 0x1D44E,
    "script": 0x1D4EA,
    "fraktur": 0x1D586,
    "double-struck": 0x1D552,
    "sans-serif": 0x1D5BA,
    "monospace": 0x1D68A,
}


DISGUISES: list[tuple[str, str, list[str]]] = [
    # Letters apart.
    ("you are s t u p i d ok", "you are stupid ok", ["spaced"]),
    ("You are a s t u p i d person", "You are a stupid person", ["spaced"]),
    ("y o u a r e s t u p i d", "you are stupid", ["spaced"]),
    ("y o u  a r e  s t u p i d", "you  are  stupid", ["spaced"]),
    ("what an I D I O T", "what an IDIOT", ["spaced"]),
    ("an i.d.i.o.t.", "an idiot.", ["spaced"]),
    ("an i-d-i-o-t, s*t*u*p*i*d", "an idiot, stupid", ["spaced"]),
    ("s_t_u_p_i_d", "stupid", ["spaced"]),
    ("i|d|i|o|t / i~d~i~o~t", "idiot / idiot", ["spaced"]),
    ("i . d . i . o . t", "idiot", ["spaced"]),
    ("i\nd\ni\no\nt", "idiot", ["spaced"]),
    ("s t u p 1 d", "stupid", ["spaced", "leet"]),
    ("глупый и д и о т", "глупый идиот", ["spaced"]),
    # Digits and signs for letters.
    ("1d10t", "idiot", ["leet"]),
    ("an ID10T, so stup1d!", "an IDIOT, so stupid!", ["leet"]),
    ("$tup!d", "stupid", ["leet"]),
    ("5tupid cr@zy mor0n", "stupid crazy moron", ["leet"]),
    ("stup|d (stup1d)", "stupid (stupid)", ["leet"]),
    ("assho1e, k1ll, b|ock", "asshole, kill, block", ["leet"]),
    ("$tup!d f@+ $h!ne", "stupid fat shine", ["leet"]),
    ("57upid 5illy dum8", "stupid silly dumb", ["leet"]),
    ("go to he11", "go to hell", ["leet"]),
    # Letters drawn out.
    ("stuuuupid", "stupid", ["repeated"]),
    ("iiiidddiiioooottt", "idiot", ["repeated"]),
    ("STUUUUPID stupiddddd loooser", "STUPID stupid loser", ["repeated"]),
    ("goooood", "good", ["repeated"]),
    # Letters of other scripts.
    ("ѕtuріd", "stupid", ["homoglyph"]),
    ("you іdіоt", "you idiot", ["homoglyph"]),
    ("вrain", "brain", ["homoglyph"]),
    ("stυpid", "stupid", ["homoglyph"]),
    ("what a соре", "what a cope", ["homoglyph"]),
    ("ᎠᎪᎷN stupіd", "DAMN stupid", ["homoglyph"]),
    # Letters in another style.
    ("ｓｔｕｐｉｄ", "stupid", ["fullwidth"]),
    ("ｓ ｔ ｕ ｐ ｉ ｄ", "stupid", ["fullwidth", "spaced"]),
    ("ⓢⓣⓤⓟⓘⓓ 🅂🅃🅄🄿🄸🄳 🅢🅣🅤🅟🅘🅓 🆂🆃🆄🅿🅸🅳", "stupid STUPID STUPID STUPID", ["enclosed"]),
    ("ˢᵗᵘᵖⁱᵈ", "stupid", ["raised"]),
    ("ꜱᴛᴜᴘɪᴅ", "stupid", ["small_caps"]),
    ("ﬁlthy ſtupid", "filthy stupid", ["ligature"]),
    ("🇮🇩🇮🇴🇹", "IDIOT", ["regional_indicator"]),
    ("🇮 🇩 🇮 🇴 🇹", "IDIOT", ["regional_indicator"]),
    ("st𝐮pid", "stupid", ["mathematical"]),
    ("ʇoıpı uɐ ǝɹɐ noʎ", "you are an idiot", ["upside_down"]),
    # What is not seen.
    ("st\u200bup\u200bid i\u00addi\u2060ot", "stupid idiot", ["invisible"]),
    ("i\ufe0fd\ufe0fi\ufe0fo\ufe0ft", "idiot", ["invisible"]),
    ("id\U000e0041i\u034fo\u3164t", "idiot", ["invisible"]),
    ("\u202etoidi\u202c you", "idiot you", ["bidi"]),
    ("s\u0336t\u0336u\u0336p\u0336i\u0336d\u0336", "stupid", ["combining"]),
    ("i\u0301d\u0301i\u0301o\u0301t\u0301", "idiot", ["combining"]),
    ("st" + "u" + "\u0300\u0316\u035c\u0489\u0310" * 9 + "pid", "stupid", ["combining"]),
    # Markup.
    ("st&#117;pid &#x69;diot &lt;3", "stupid idiot <3", ["html_entity"]),
    ("st<b>u</b>pid", "stupid", ["html_tag"]),
    ('id<span class="x">i</span>ot<br/>you', "idiot you", ["html_tag"]),
    ("st<!-- -->upid", "stupid", ["html_tag"]),
    ("st[b]up[/b]id", "stupid", ["bbcode"]),
    # One in another.
    ("st&#8203;upid", "stupid", ["html_entity", "invisible"]),
    ("ｓ.ｔ.ｕ.ｐ.ｉ.ｄ", "stupid", ["fullwidth", "spaced"]),
    ("ѕ t u р і d", "stupid", ["spaced", "homoglyph"]),
    ("st<i></i>uuuup1d", "stupid", ["html_tag", "leet"]),
]


@pytest.mark.parametrize(("written", "read", "transforms"), DISGUISES)
def test_a_disguised_word_is_read_as_a_person_reads_it(written: str, read: str, transforms: list[str]) -> None:
    reading = canonical(written)

    assert reading.text == read
    assert list(reading.transforms) == transforms


@pytest.mark.parametrize("style", MATHEMATICAL)
def test_mathematical_letters_of_every_style_are_letters(style: str) -> None:
    written = "".join(chr(MATHEMATICAL[style] + ord(letter) - ord("a")) for letter in "stupid")

    assert canonical(f"so {written}!").text == "so stupid!"


def test_undoing_is_done_once() -> None:
    for written in ("y o u a r e 5tuuuup1d", "ｓ.ｔ.ｕ.ｐ.ｉ.ｄ", "ѕ t u р і d"):
        read = canonical(written).text

        assert canonical(read).text == read
