"""Names that strangers give: they read as they are written, or are refused by name."""

import pytest

from bagen_data.shown_names import check_shown_name


@pytest.mark.parametrize(
    "name",
    [
        "GPT-5.2 (high)",
        "none",
        "mockllm/model",
        "Model [red] :100:",
        "π0.5",
        "β-VAE",
        "Модель 7",
        "GPT-модель",
        "日本語モデルー",
        "Qwen深思",
        "GPTとClaude",
        "GPT一号",
        "第一 モデルー2",
        "ㄅㄚˊ",
        "ʻōlelo",
        "한글 모델",
        "नमस्ते",
        "ไทยที่",
        "tiếng Việt",
        "مدل۵",
        "🤗 Hug",
        "👩\u200d🔬 and ⚡\ufe0f",
        "C++ … ™",
        "l’eau",
    ],
)
def test_names_of_any_language_stay(name: str) -> None:
    assert check_shown_name(name) == name


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("gp\u0442", "U+0442 CYRILLIC SMALL LETTER TE and U+0067 LATIN SMALL LETTER G stand in"),
        ("\uff47pt", "U+FF47 FULLWIDTH LATIN SMALL LETTER G is another form of 'g'; write that"),
        ("gpt\uff0e5", "U+FF0E FULLWIDTH FULL STOP is another form of '.'; write that"),
        ("gpt\u200b", "U+200B ZERO WIDTH SPACE cannot be seen; leave it out"),
        ("g\u200dpt", "U+200D ZERO WIDTH JOINER cannot be seen"),
        ("gpt\ufe0f", "U+FE0F VARIATION SELECTOR-16 cannot be seen"),
        ("\u2800", "U+2800 BRAILLE PATTERN BLANK cannot be seen"),
        ("\u3164", "U+3164 HANGUL FILLER cannot be seen"),
        ("a\ue000", "U+E000 (without a name) cannot be seen"),
        ("\U000e0041", "U+E0041 TAG LATIN CAPITAL LETTER A cannot be seen"),
        ("a\u00a0b", "U+00A0 NO-BREAK SPACE is a space of another kind; write an ordinary one"),
        ("g\u0332pt", "U+0332 COMBINING LOW LINE is a mark of no letter here"),
        ("5\u0591", "U+0591 HEBREW ACCENT ETNAHTA is a mark of no letter here"),
        ("a\u302a", "U+302A IDEOGRAPHIC LEVEL TONE MARK is a mark of no letter here"),
        ("\u0e01" + "\u0e49" * 5, "U+0E49 THAI CHARACTER MAI THO is a mark of no letter here"),
        ("re\u0301sume\u0301", "it is not in Unicode's normal form C; write 'résumé'"),
        ("\u212a2", "it is not in Unicode's normal form C; write 'K2'"),
        ("gpt\u0664", "U+0664 ARABIC-INDIC DIGIT FOUR and U+0067 LATIN SMALL LETTER G stand in"),
        ("GPT\u30fc5", "U+30FC KATAKANA-HIRAGANA PROLONGED SOUND MARK looks like a dash in this"),
        ("GPT\u4e005", "U+4E00 CJK UNIFIED IDEOGRAPH-4E00 looks like a dash in this word"),
        ("5\u11735", "U+1173 HANGUL JUNGSEONG EU looks like a dash in this word; write '-'"),
        ("Mini\u02ca", "U+02CA MODIFIER LETTER ACUTE ACCENT is an accent of no letter here"),
        (" ", "it is blank; expected a letter or a digit"),
        ("...", "it is blank"),
        ("gpt ", "it has a space first, last or beside another one"),
        ("a  b", "it has a space first, last or beside another one"),
    ],
)
def test_a_name_that_does_not_read_as_it_is_written_is_refused(name: str, reason: str) -> None:
    with pytest.raises(ValueError, match=r"^") as error:
        check_shown_name(name)
    assert str(error.value).startswith(reason)
