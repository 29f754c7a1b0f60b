"""Ask tokenizers which characters belong to which class; write `_unicode_data.py`.

    python tests/oracle/generate_unicode.py [--check]

Every table is observed through the public Python interface of `tokenizers`,
one question about all Unicode scalars at a time, so that the result says what
that version does, whichever Unicode versions its parts were built with.
Takes a few minutes. `--check` compares with the file instead of writing it.
"""

# ruff: noqa: SIM905 - lists of names are easier to read and extend as text

import base64
import sys
import textwrap
import unicodedata
import zlib
from pathlib import Path

import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers

TARGET = Path(__file__).resolve().parents[2] / "tokenizers_lite" / "_unicode_data.py"

SCALARS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]


def _uniform(code):
    """Whether a code point lies inside a stretch that no property divides."""
    low = code & 0xFFFF
    return code >= 0x40000 and 0x20 <= low < 0xFFE0 and not 0xE0000 <= code < 0xE1000


PROBED = [c for c in SCALARS if not _uniform(c)]
TEXT = "".join(map(chr, PROBED))

CATEGORIES = """
C Cc Cf Cn Co Cs L LC Ll Lm Lo Lt Lu M Mc Me Mn N Nd Nl No P Pc Pd Pe Pf Pi Po Ps S Sc Sk Sm So Z Zl Zp Zs
Other Control Format Unassigned Private_Use Surrogate Letter Cased_Letter Lowercase_Letter Modifier_Letter
Other_Letter Titlecase_Letter Uppercase_Letter Mark Combining_Mark Spacing_Mark Enclosing_Mark Nonspacing_Mark Number
Decimal_Number Letter_Number Other_Number Punctuation Punct Connector_Punctuation Dash_Punctuation Close_Punctuation
Final_Punctuation Initial_Punctuation Other_Punctuation Open_Punctuation Symbol Currency_Symbol Modifier_Symbol
Math_Symbol Other_Symbol Separator Line_Separator Paragraph_Separator Space_Separator
Any Assigned ASCII Alnum Alpha Blank Cntrl Digit Graph Lower Print Space Upper XDigit Word NEWLINE
""".split()

BINARY = """
AHex ASCII_Hex_Digit Alphabetic Bidi_C Bidi_Control Case_Ignorable CI Cased Changes_When_Casefolded CWCF
Changes_When_Casemapped CWCM Changes_When_Lowercased CWL Changes_When_Titlecased CWT Changes_When_Uppercased CWU Dash
Default_Ignorable_Code_Point DI Deprecated Dep Diacritic Dia Emoji Emoji_Component Emoji_Modifier Emoji_Modifier_Base
Emoji_Presentation EBase EComp EMod EPres ExtPict Extended_Pictographic Extender Ext Grapheme_Base Gr_Base
Grapheme_Extend Gr_Ext Grapheme_Link Gr_Link Hex_Digit Hex Hyphen IDS_Binary_Operator IDSB IDS_Trinary_Operator IDST
IDS_Unary_Operator IDSU ID_Continue IDC ID_Start IDS ID_Compat_Math_Start ID_Compat_Math_Continue Ideographic Ideo
InCB Indic_Conjunct_Break_Linker Join_Control Join_C Logical_Order_Exception LOE Lowercase Math
Modifier_Combining_Mark MCM Noncharacter_Code_Point NChar Other_Alphabetic OAlpha Other_Default_Ignorable_Code_Point
ODI Other_Grapheme_Extend OGr_Ext Other_ID_Continue OIDC Other_ID_Start OIDS Other_Lowercase OLower Other_Math OMath
Other_Uppercase OUpper Pattern_Syntax Pat_Syn Pattern_White_Space Pat_WS Prepended_Concatenation_Mark PCM
Quotation_Mark QMark Radical Regional_Indicator RI Sentence_Terminal STerm Soft_Dotted SD Terminal_Punctuation Term
Unified_Ideograph UIdeo Uppercase Variation_Selector VS White_Space WSpace XID_Continue XIDC XID_Start XIDS
""".split()

SCRIPTS = """
Adlam Adlm Aghb Ahom Anatolian_Hieroglyphs Arab Arabic Armenian Armi Armn Avestan Avst Bali Balinese Bamu Bamum Bass
Bassa_Vah Batak Batk Beng Bengali Berf Beria_Erfe Bhaiksuki Bhks Bopo Bopomofo Brah Brahmi Brai Braille Bugi Buginese
Buhd Buhid Cakm Canadian_Aboriginal Cans Cari Carian Caucasian_Albanian Chakma Cham Cher Cherokee Chorasmian Chrs
Common Copt Coptic Cpmn Cprt Cuneiform Cypriot Cypro_Minoan Cyrillic Cyrl Deseret Deva Devanagari Diak Dives_Akuru
Dogr Dogra Dsrt Dupl Duployan Egyp Egyptian_Hieroglyphs Elba Elbasan Elym Elymaic Ethi Ethiopic Gara Garay Geor
Georgian Glag Glagolitic Gong Gonm Goth Gothic Gran Grantha Greek Grek Gujarati Gujr Gukh Gunjala_Gondi Gurmukhi Guru
Gurung_Khema Han Hang Hangul Hani Hanifi_Rohingya Hano Hanunoo Hatr Hatran Hebr Hebrew Hira Hiragana Hluw Hmng Hmnp
Hrkt Hung Imperial_Aramaic Inherited Inscriptional_Pahlavi Inscriptional_Parthian Ital Java Javanese Kaithi Kali Kana
Kannada Katakana Katakana_Or_Hiragana Kawi Kayah_Li Khar Kharoshthi Khitan_Small_Script Khmer Khmr Khoj Khojki
Khudawadi Kirat_Rai Kits Knda Krai Kthi Lana Lao Laoo Latin Latn Lepc Lepcha Limb Limbu Lina Linb Linear_A Linear_B
Lisu Lyci Lycian Lydi Lydian Mahajani Mahj Maka Makasar Malayalam Mand Mandaic Mani Manichaean Marc Marchen
Masaram_Gondi Medefaidrin Medf Meetei_Mayek Mend Mende_Kikakui Merc Mero Meroitic_Cursive Meroitic_Hieroglyphs Miao
Mlym Modi Mong Mongolian Mro Mroo Mtei Mult Multani Myanmar Mymr Nabataean Nag_Mundari Nagm Nand Nandinagari Narb Nbat
New_Tai_Lue Newa Nko Nkoo Nshu Nushu Nyiakeng_Puachue_Hmong Ogam Ogham Ol_Chiki Ol_Onal Olck Old_Hungarian Old_Italic
Old_North_Arabian Old_Permic Old_Persian Old_Sogdian Old_South_Arabian Old_Turkic Old_Uyghur Onao Oriya Orkh Orya
Osage Osge Osma Osmanya Ougr Pahawh_Hmong Palm Palmyrene Pau_Cin_Hau Pauc Perm Phag Phags_Pa Phli Phlp Phnx Phoenician
Plrd Prti Psalter_Pahlavi Qaac Qaai Rejang Rjng Rohg Runic Runr Samaritan Samr Sarb Saur Saurashtra Sgnw Sharada
Shavian Shaw Shrd Sidd Siddham Sidetic Sidt SignWriting Sind Sinh Sinhala Sogd Sogdian Sogo Sora Sora_Sompeng Soyo
Soyombo Sund Sundanese Sunu Sunuwar Sylo Syloti_Nagri Syrc Syriac Tagalog Tagb Tagbanwa Tai_Le Tai_Tham Tai_Viet
Tai_Yo Takr Takri Tale Talu Tamil Taml Tang Tangsa Tangut Tavt Tayo Telu Telugu Tfng Tglg Thaa Thaana Thai Tibetan
Tibt Tifinagh Tirh Tirhuta Tnsa Todhri Todr Tolong_Siki Tols Toto Tulu_Tigalari Tutg Ugar Ugaritic Unknown Vai Vaii
Vith Vithkuqi Wancho Wara Warang_Citi Wcho Xpeo Xsux Yezi Yezidi Yi Yiii Zanabazar_Square Zanb Zinh Zyyy Zzzz
""".split()

BLOCKS = """
Basic_Latin Latin_1_Supplement Latin_Extended_A Latin_Extended_B IPA_Extensions Spacing_Modifier_Letters
Combining_Diacritical_Marks Greek_and_Coptic Cyrillic Cyrillic_Supplement Armenian Hebrew Arabic Syriac
Arabic_Supplement Thaana NKo Samaritan Mandaic Syriac_Supplement Arabic_Extended_B Arabic_Extended_A Devanagari Bengali
Gurmukhi Gujarati Oriya Tamil Telugu Kannada Malayalam Sinhala Thai Lao Tibetan Myanmar Georgian Hangul_Jamo Ethiopic
Ethiopic_Supplement Cherokee Unified_Canadian_Aboriginal_Syllabics Ogham Runic Tagalog Hanunoo Buhid Tagbanwa Khmer
Mongolian Unified_Canadian_Aboriginal_Syllabics_Extended Limbu Tai_Le New_Tai_Lue Khmer_Symbols Buginese Tai_Tham
Combining_Diacritical_Marks_Extended Balinese Sundanese Batak Lepcha Ol_Chiki Cyrillic_Extended_C Georgian_Extended
Sundanese_Supplement Vedic_Extensions Phonetic_Extensions Phonetic_Extensions_Supplement
Combining_Diacritical_Marks_Supplement Latin_Extended_Additional Greek_Extended General_Punctuation
Superscripts_and_Subscripts Currency_Symbols Combining_Diacritical_Marks_for_Symbols Letterlike_Symbols Number_Forms
Arrows Mathematical_Operators Miscellaneous_Technical Control_Pictures Optical_Character_Recognition
Enclosed_Alphanumerics Box_Drawing Block_Elements Geometric_Shapes Miscellaneous_Symbols Dingbats
Miscellaneous_Mathematical_Symbols_A Supplemental_Arrows_A Braille_Patterns Supplemental_Arrows_B
Miscellaneous_Mathematical_Symbols_B Supplemental_Mathematical_Operators Miscellaneous_Symbols_and_Arrows Glagolitic
Latin_Extended_C Coptic Georgian_Supplement Tifinagh Ethiopic_Extended Cyrillic_Extended_A Supplemental_Punctuation
CJK_Radicals_Supplement Kangxi_Radicals Ideographic_Description_Characters CJK_Symbols_and_Punctuation Hiragana
Katakana Bopomofo Hangul_Compatibility_Jamo Kanbun Bopomofo_Extended CJK_Strokes Katakana_Phonetic_Extensions
Enclosed_CJK_Letters_and_Months CJK_Compatibility CJK_Unified_Ideographs_Extension_A Yijing_Hexagram_Symbols
CJK_Unified_Ideographs Yi_Syllables Yi_Radicals Lisu Vai Cyrillic_Extended_B Bamum Modifier_Tone_Letters
Latin_Extended_D Syloti_Nagri Common_Indic_Number_Forms Phags_pa Saurashtra Devanagari_Extended Kayah_Li Rejang
Hangul_Jamo_Extended_A Javanese Myanmar_Extended_B Cham Myanmar_Extended_A Tai_Viet Meetei_Mayek_Extensions
Ethiopic_Extended_A Latin_Extended_E Cherokee_Supplement Meetei_Mayek Hangul_Syllables Hangul_Jamo_Extended_B
High_Surrogates High_Private_Use_Surrogates Low_Surrogates Private_Use_Area CJK_Compatibility_Ideographs
Alphabetic_Presentation_Forms Arabic_Presentation_Forms_A Variation_Selectors Vertical_Forms Combining_Half_Marks
CJK_Compatibility_Forms Small_Form_Variants Arabic_Presentation_Forms_B Halfwidth_and_Fullwidth_Forms Specials
Linear_B_Syllabary Linear_B_Ideograms Aegean_Numbers Ancient_Greek_Numbers Ancient_Symbols Phaistos_Disc Lycian Carian
Coptic_Epact_Numbers Old_Italic Gothic Old_Permic Ugaritic Old_Persian Deseret Shavian Osmanya Osage Elbasan
Caucasian_Albanian Vithkuqi Todhri Linear_A Latin_Extended_F Cypriot_Syllabary Imperial_Aramaic Palmyrene Nabataean
Hatran Phoenician Lydian Sidetic Meroitic_Hieroglyphs Meroitic_Cursive Kharoshthi Old_South_Arabian Old_North_Arabian
Manichaean Avestan Inscriptional_Parthian Inscriptional_Pahlavi Psalter_Pahlavi Old_Turkic Old_Hungarian
Hanifi_Rohingya Garay Rumi_Numeral_Symbols Yezidi Arabic_Extended_C Old_Sogdian Sogdian Old_Uyghur Chorasmian Elymaic
Brahmi Kaithi Sora_Sompeng Chakma Mahajani Sharada Sinhala_Archaic_Numbers Khojki Multani Khudawadi Grantha
Tulu_Tigalari Newa Tirhuta Siddham Modi Mongolian_Supplement Takri Myanmar_Extended_C Ahom Dogra Warang_Citi
Dives_Akuru Nandinagari Zanabazar_Square Soyombo Unified_Canadian_Aboriginal_Syllabics_Extended_A Pau_Cin_Hau
Devanagari_Extended_A Sharada_Supplement Sunuwar Bhaiksuki Marchen Masaram_Gondi Gunjala_Gondi Tolong_Siki Makasar Kawi
Lisu_Supplement Tamil_Supplement Cuneiform Cuneiform_Numbers_and_Punctuation Early_Dynastic_Cuneiform Cypro_Minoan
Egyptian_Hieroglyphs Egyptian_Hieroglyph_Format_Controls Egyptian_Hieroglyphs_Extended_A Anatolian_Hieroglyphs
Gurung_Khema Bamum_Supplement Mro Tangsa Bassa_Vah Pahawh_Hmong Kirat_Rai Medefaidrin Beria_Erfe Miao
Ideographic_Symbols_and_Punctuation Tangut Tangut_Components Khitan_Small_Script Tangut_Supplement Kana_Extended_B
Kana_Supplement Kana_Extended_A Small_Kana_Extension Nushu Duployan Shorthand_Format_Controls
Symbols_for_Legacy_Computing_Supplement Znamenny_Musical_Notation Byzantine_Musical_Symbols Musical_Symbols
Ancient_Greek_Musical_Notation Kaktovik_Numerals Mayan_Numerals Tai_Xuan_Jing_Symbols Counting_Rod_Numerals
Mathematical_Alphanumeric_Symbols Sutton_SignWriting Latin_Extended_G Glagolitic_Supplement Cyrillic_Extended_D
Nyiakeng_Puachue_Hmong Toto Wancho Nag_Mundari Ol_Onal Ethiopic_Extended_B Mende_Kikakui Adlam Indic_Siyaq_Numbers
Ottoman_Siyaq_Numbers Arabic_Mathematical_Alphabetic_Symbols Mahjong_Tiles Domino_Tiles Playing_Cards
Enclosed_Alphanumeric_Supplement Enclosed_Ideographic_Supplement Miscellaneous_Symbols_and_Pictographs Emoticons
Ornamental_Dingbats Transport_and_Map_Symbols Alchemical_Symbols Geometric_Shapes_Extended Supplemental_Arrows_C
Supplemental_Symbols_and_Pictographs Chess_Symbols Symbols_and_Pictographs_Extended_A Symbols_for_Legacy_Computing
CJK_Unified_Ideographs_Extension_B CJK_Unified_Ideographs_Extension_C CJK_Unified_Ideographs_Extension_D
CJK_Unified_Ideographs_Extension_E CJK_Unified_Ideographs_Extension_F CJK_Unified_Ideographs_Extension_I
CJK_Compatibility_Ideographs_Supplement CJK_Unified_Ideographs_Extension_G CJK_Unified_Ideographs_Extension_H
CJK_Unified_Ideographs_Extension_J Tags Variation_Selectors_Supplement Supplementary_Private_Use_Area_A
Supplementary_Private_Use_Area_B No_Block
""".split()

POSIX = "alnum alpha ascii blank cntrl digit graph lower print punct space upper word xdigit".split()


def spans_to_ranges(spans):
    """Turn spans over PROBED into code point ranges, filling the uniform stretches."""
    ranges = []
    for start, end in spans:
        run = PROBED[start]
        last = run
        for code in PROBED[start + 1 : end]:
            # Surrogates sit between U+D7FF and U+E000, where ranges may run on.
            if code != last + 1 and not _uniform(last + 1) and (last, code) != (0xD7FF, 0xE000):
                ranges.append((run, last))
                run = code
            last = code
        ranges.append((run, last))
    return merge(ranges)


def merge(ranges):
    """Join neighbouring ranges."""
    joined = []
    for start, end in sorted(ranges):
        if joined and start <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def onig_class(pattern):
    """Return the ranges of what a one-character Oniguruma pattern matches, or None if it is refused."""
    try:
        regex = Regex(f"(?:{pattern})+")
    except Exception:  # the binding raises nothing more precise
        return None
    # Removing the complement's runs leaves the class; offsets are in characters.
    pieces = pre_tokenizers.Split(regex, "removed", invert=True).pre_tokenize_str(TEXT)
    return spans_to_ranges([span for _, span in pieces])


def predicate_ranges(test, codes=PROBED):
    """Return the ranges of code points whose character passes `test`."""
    ranges = [(c, c) for c in codes if test(chr(c))]
    joined = merge(ranges)
    if codes is not PROBED:
        return joined
    wide = []
    for start, end in joined:
        last = end
        while last + 1 < 0x110000 and _uniform(last + 1):
            last += 1
        wide.append((start, last))
    return merge(wide)


def is_word_in_added_tokens():
    """Return what Rust's `regex` calls `\\w`, as single_word added tokens see it."""
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.add_tokens([AddedToken("~~", single_word=True, normalized=False)])
    found = []
    for code in PROBED:
        ids = tokenizer.encode("~~" + chr(code), add_special_tokens=False).ids
        if 1 not in ids:
            found.append(code)
    return merge([(c, c) for c in found])


def pieces_to_ranges(pre_tokenizer, keep):
    """Return the ranges of the pieces that pass `keep` when all scalars are pre-tokenised."""
    return spans_to_ranges([span for piece, span in pre_tokenizer.pre_tokenize_str(TEXT) if keep(piece)])


def script_partition():
    """Return [(first code point, label)] of UnicodeScripts; label 0 joins with anything."""
    scripts = pre_tokenizers.UnicodeScripts()

    def joins(a, b):
        return len(scripts.pre_tokenize_str(a + b)) == 1

    # Characters of script Any (the blank, unassigned ones) start no piece: alone they vanish.
    known = [code for code in PROBED if scripts.pre_tokenize_str(chr(code))]
    starts = {known[span[0]] for _, span in scripts.pre_tokenize_str("".join(map(chr, known)))}
    representatives = []
    partition = []
    label, labelled = 0, set(known)
    for code in PROBED:
        if code in starts:
            char = chr(code)
            if not any(joins(char, other) for other in representatives):
                representatives.append(char)
            label = next(at for at, other in enumerate(representatives, 1) if joins(char, other))
        here = label if code in labelled else 0
        if not partition or partition[-1][1] != here:
            partition.append((code, here))
    return partition


def lower_map():
    """Return {code: text} of Rust's `char::to_lowercase`, where it changes something."""
    lower = normalizers.Lowercase()
    return {c: low for c in PROBED if (low := lower.normalize_str(chr(c))) != chr(c)}


def fold_map(lower):
    """Return {code: folded} for Oniguruma's (?i); equal folds match each other.

    Single characters are grouped by asking which characters `(?i:c)` matches;
    a character that also matches a sequence folds to that sequence.
    """
    upper = {}
    for code in PROBED:
        string = tokenizers.NormalizedString(chr(code))
        string.uppercase()
        if string.normalized != chr(code):
            upper[code] = string.normalized
    cased = set(lower) | set(upper) | {ord(c) for t in (*lower.values(), *upper.values()) for c in t}
    cased |= {c for c in PROBED if chr(c).casefold() != chr(c)}
    line = "\0".join(map(chr, sorted(cased)))
    fold = {}
    for code in sorted(cased):
        split = pre_tokenizers.Split(Regex(f"(?i:{chr(code)})"), "removed", invert=True)
        equal = {ord(piece) for piece, _ in split.pre_tokenize_str(line) if len(piece) == 1}
        assert code in equal, hex(code)
        if len(equal) > 1:
            # ASCII first, then whatever is its own lower case: readable, and any choice would do.
            fold[code] = chr(min(equal, key=lambda c: (c > 127, c in lower, c)))
            if fold[code] == chr(code):
                del fold[code]
    single = dict(fold)
    for code in sorted(cased):
        sequence = "".join(single.get(ord(c), c) for c in chr(code).casefold())
        if len(sequence) > 1:
            split = pre_tokenizers.Split(Regex(f"(?i:{chr(code)})"), "isolated")
            if len(split.pre_tokenize_str(sequence)) == 1:
                fold[code] = sequence
    return fold


def normalization_tables():
    """Return (guard, marks): what not to leave to `unicodedata`, and what reorders.

    The guard holds every code point this Python does not know yet and those
    that tokenizers treats differently, which must be by leaving them alone.
    The rest, being known to all supported Pythons, is stable. Marks are what
    decomposes into characters that reorder, and nothing else.
    """
    forms = {name: getattr(normalizers, name)() for name in ("NFC", "NFD", "NFKC", "NFKD")}
    guard, marks = [], []
    for code in PROBED:
        char = chr(code)
        probe = "a\u0345" + char + "\u0334"
        mine = forms["NFD"].normalize_str(probe)
        same = mine == unicodedata.normalize("NFD", probe) and all(
            form.normalize_str(char) == unicodedata.normalize(name, char) for name, form in forms.items()
        )
        if not same:
            assert mine == probe, hex(code)
            assert all(form.normalize_str(char) == char for form in forms.values()), hex(code)
        if not same or unicodedata.category(char) == "Cn":
            guard.append(code)
        elif all(map(unicodedata.combining, unicodedata.normalize("NFD", char))):
            marks.append(code)
    # What an unknown character would be composed of must not compose either.
    in_guard = set(guard)
    parts = {p: {ord(c) for c in unicodedata.normalize("NFD", chr(p))} - {p} for p in PROBED}
    in_guard |= {part for code in guard for part in parts[code]}
    for code in set(PROBED) - in_guard:
        assert not parts[code] & in_guard, hex(code)
    return predicate_ranges(lambda c: ord(c) in in_guard), merge([(c, c) for c in marks])


def varint(number):
    """Return a non-negative number as little-endian groups of seven bits."""
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def pack_ranges(ranges):
    """Return ranges as the distances between their borders."""
    out, last = bytearray(), 0
    for start, end in ranges:
        out += varint(start - last) + varint(end + 1 - start)
        last = end + 1
    return bytes(out)


def collect():
    """Ask everything; return ({table: bytes}, {property name: table})."""
    tables, names, seen = {}, {}, {}

    def add(prefix, name, ranges):
        packed = pack_ranges(ranges)
        table = seen.setdefault(packed, prefix + name)
        tables[table] = packed
        names[prefix + name.replace("_", "").lower()] = table

    candidates = CATEGORIES + BINARY + SCRIPTS + [f"In_{block}" for block in BLOCKS]
    for name in candidates:
        ranges = onig_class(rf"\p{{{name}}}")
        if ranges is not None:
            add("p:", name, ranges)
    for name in POSIX:
        add("posix:", name, onig_class(f"[[:{name}:]]"))
    for escape in "wsdhR":
        add("escape:", escape.lower(), onig_class(rf"\{escape}"))
    bert_clean = normalizers.BertNormalizer(True, False, False, False)
    bert_strip = normalizers.BertNormalizer(False, False, True, False)
    bert_chinese = normalizers.BertNormalizer(False, True, False, False)
    nfd = normalizers.NFD()
    strip, accents = normalizers.Strip(), normalizers.StripAccents()
    add("rust:", "whitespace", predicate_ranges(lambda c: strip.normalize_str(c) == ""))
    add("rust:", "numeric", pieces_to_ranges(pre_tokenizers.Digits(False), lambda p: _numeric(p[0])))
    add("rust:", "word", pieces_to_ranges(pre_tokenizers.Whitespace(), lambda p: _word(p[0])))
    add("rust:", "addedword", is_word_in_added_tokens())
    kept = pre_tokenizers.Whitespace().pre_tokenize_str(TEXT)
    add("rust:", "regexspace", complement_of_spans([span for _, span in kept]))
    add("hf:", "punctuation", pieces_to_ranges(pre_tokenizers.Punctuation("contiguous"), lambda p: _punctuation(p[0])))
    add("hf:", "bertremoved", predicate_ranges(lambda c: bert_clean.normalize_str(c) == ""))
    add("hf:", "bertspace", predicate_ranges(lambda c: bert_clean.normalize_str(c) == " "))
    add("hf:", "bertchinese", predicate_ranges(lambda c: bert_chinese.normalize_str(c) == f" {c} "))
    add("hf:", "combiningmark", predicate_ranges(lambda c: accents.normalize_str(c) == ""))
    marks = predicate_ranges(lambda c: nfd.normalize_str(c) == c and bert_strip.normalize_str(c) == "")
    add("hf:", "nonspacingmark", marks)
    guard, nonstarters = normalization_tables()
    add("nf:", "guard", guard)
    add("nf:", "marks", nonstarters)
    lower = lower_map()
    tables["lower"] = "\0".join(f"{chr(c)}{low}" for c, low in sorted(lower.items())).encode()
    fold = fold_map(lower)
    tables["fold"] = "\0".join(f"{chr(c)}{low}" for c, low in sorted(fold.items())).encode()
    packed, last = bytearray(), 0
    for start, label in script_partition():
        packed += varint(start - last) + varint(label)
        last = start
    tables["scripts"] = bytes(packed)
    return tables, names


def _numeric(char):
    return len(pre_tokenizers.Digits(True).pre_tokenize_str(char * 2)) == 2


def _punctuation(char):
    return len(pre_tokenizers.Punctuation().pre_tokenize_str(char * 2)) == 2


def _word(char):
    return len(pre_tokenizers.Whitespace().pre_tokenize_str("a" + char)) == 1


def complement_of_spans(spans):
    """Return the ranges of the probed characters outside `spans`."""
    gaps, last = [], 0
    for start, end in spans:
        if start > last:
            gaps.append((last, start))
        last = end
    return spans_to_ranges(gaps)


def render(tables, names):
    """Return the module's source."""
    blob, index = bytearray(), []
    for table, packed in sorted(tables.items()):
        index.append(f"{table}={len(packed)}")
        blob += packed
    own = set(names.values())
    aliases = [f"{name}={table}" for name, table in sorted(names.items())]
    assert own <= set(tables)
    head = (" ".join(index) + "\n" + " ".join(aliases) + "\n").encode()
    text = base64.b64encode(zlib.compress(head + bytes(blob), 9)).decode()
    lines = "\n".join(f'    "{line}"' for line in textwrap.wrap(text, 112))
    return f'''"""Character tables of tokenizers {tokenizers.__version__}, written by tests/oracle/generate_unicode.py.

Base64 of zlib of: a line `table=size ...`, a line `name=table ...`, the tables
one after the other. See `_unicode.py` for how each kind is read.
"""

ORACLE = "{tokenizers.__version__}"

DATA = (
{lines}
)
'''


def main():
    source = render(*collect())
    if "--check" in sys.argv:
        sys.exit(TARGET.read_text() != source)
    TARGET.write_text(source)


if __name__ == "__main__":
    main()
