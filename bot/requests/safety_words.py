"""The words by which `safety` judges.

Owns data only. A phrase stands for its words in a row; case and accents do not count. Lists are short on purpose: words that
are mostly harmless (girl, boy, daughter, cock, strip, penetration) are left out, since prompts about them are common.
"""

from typing import Final

ALWAYS: Final = frozenset({
    "loli", "lolis", "lolicon", "lolikon", "rorikon", "shota", "shotas", "shotacon", "shotakon", "toddlercon", "jailbait",
    "kiddie porn", "child porn", "child pornography", "childporn", "kinderporno", "underage sex", "underage porn",
    "cunny", "детское порно", "ロリコン", "pthc", "kid porn", "kids porn", "kiddyporn", "kiddy porn", "child sex",
    "sex with children", "sexy child", "sexy kid", "sexy kids", "sexy toddler", "junior idol", "csam", "ショタコン",
    "ロリ", "ショタ", "萝莉", "幼女",
})  # fmt: skip
"""Refused by themselves: they mean a sexualised child and little else."""

MINORS: Final = frozenset({
    "child", "children", "childlike", "kid", "kids", "kiddo", "minor", "minors", "underage", "underaged", "toddler",
    "toddlers", "infant", "infants", "newborn", "baby", "babies", "preteen", "preteens", "pre teen", "tween", "tweens",
    "teen", "teens", "teenage", "teenaged", "teenager", "teenagers", "adolescent", "adolescents", "prepubescent",
    "pubescent", "juvenile", "schoolgirl", "schoolgirls", "schoolboy", "schoolboys", "school girl", "school girls",
    "school boy", "school boys", "schoolchild", "schoolchildren", "schoolkid", "schoolkids", "kindergarten",
    "kindergartner", "kindergartener", "preschooler", "preschoolers", "schoolage", "school age", "grade school",
    "school student", "highschool girl", "highschool girls", "high school girl", "high school girls", "high school boy",
    "highschool boy", "highschool student", "highschool students", "high school students", "highschooler",
    "highschoolers", "middle schooler", "middle schoolers", "under age", "below age", "jailbait", "barely legal",
    "childish", "babyish", "lil girl", "lil boy", "smol girl", "very young", "too young", "so young", "extremely young",
    "young looking", "looks young", "youngest looking", "underage looking", "aged down", "age regression",
    "age regressed", "de aged", "prepuberty", "pre puberty", "puberty", "pre pubescent", "pre teens", "preteenage",
    "babyface", "u12", "u15", "first graders", "second grader", "third grader", "fourth grader", "fifth grader",
    "sixth grader", "seventh grader", "eighth grader", "ninth grader", "elementary school", "primary school",
    "middle school", "junior high", "grade schooler", "high schooler", "high school student", "first grader",
    "young girl", "young girls", "young boy", "young boys", "little girl", "little girls", "little boy", "little boys",
    "small girl", "small boy", "tiny girl", "tiny boy", "lolita", "pedo", "pedophile", "pedophilia", "pedophilic",
    "paedophile", "paedophilia", "enfant", "enfants", "fillette", "petite fille", "petit garçon", "kleinkind",
    "kleines mädchen", "schulmädchen", "minderjährig", "minderjährige", "minderjähriges", "niña pequeña", "niño pequeño",
    "menor de edad", "colegiala", "bambina", "bambine", "bambini", "ragazzina", "minorenne", "criança", "crianças",
    "menina", "menino", "dziecko", "dzieci", "dziewczynka", "ребёнок", "дети", "девочка", "девочки", "мальчик",
    "школьница", "подросток", "малолетка", "子供", "子ども", "こども", "少女", "少年", "幼児", "小学生", "中学生",
    "女子高生", "児童", "正太", "儿童", "小女孩", "小男孩", "未成年", "女童", "어린이", "소녀", "소년", "초등학생",
    "미성년자",
})  # fmt: skip
"""Somebody who is a child, or may be."""

SEXUAL: Final = frozenset({
    "nude", "nudes", "nudity", "naked", "nakedness", "nekkid", "nudist", "nudists", "nudism", "naturist", "naturists",
    "birthday suit", "in the buff", "wearing nothing", "not wearing anything", "disrobed", "unclad", "stripping",
    "strip tease", "undress", "undresses", "topless", "bottomless", "undressed", "undressing", "unclothed", "no clothes",
    "without clothes", "nsfw", "porn", "porno", "pornographic", "pornography", "hentai", "ecchi", "erotic", "erotica",
    "lewd", "kinky", "lustful", "raunchy", "sensual", "provocative pose", "suggestive pose", "bedroom eyes", "sex",
    "sexual", "sexually", "sexualized", "sexualised", "sexy", "seductive", "seductively", "seducing", "slutty", "slut",
    "whore", "horny", "aroused", "orgasm", "orgasming", "ahegao", "masturbating", "masturbation", "masturbate",
    "intercourse", "fellatio", "blowjob", "handjob", "cunnilingus", "anal", "creampie", "cumshot", "cum", "gangbang",
    "rape", "raped", "molested", "molesting", "incest", "orgy", "threesome", "prostitute", "prostitution", "hooker",
    "dildo", "vibrator", "sex toy", "sextoy", "doggystyle", "doggy style", "deepthroat", "masturbates", "ejaculating",
    "ejaculation", "semen", "clitoris", "labia", "anus", "asshole", "phallus", "genital", "nip slip", "panty shot",
    "pantyshot", "pantsu", "micro bikini", "see through dress", "see through clothes", "no panties", "no bra",
    "no underwear", "raping", "boob", "nipple", "pron", "fucking", "fuck", "fucked", "bdsm", "bondage", "fetish",
    "genitals", "genitalia", "vagina", "vulva", "pussy", "penis", "erection", "nipples", "areola", "areolae", "breasts",
    "boobs", "tits", "titties", "butthole", "upskirt", "cameltoe", "panties", "lingerie", "thong", "underwear",
    "spread legs", "legs spread", "fanservice", "camgirl", "onlyfans", "stripper", "striptease", "xxx", "uncensored",
    "rule34", "r18", "nue", "nues", "nackt", "nackte", "nackter", "nacktes", "sexe", "desnuda", "desnudo", "desnudas",
    "nuda", "sexuell", "naga dziewczynka", "голая", "голый", "голые", "обнажённая", "секс", "порно", "эротика", "全裸",
    "裸体", "裸體", "裸の", "ヌード", "エロ", "セックス", "下着", "色情", "性交", "누드", "알몸", "섹스", "야한",
})  # fmt: skip
"""Sex, nakedness, and how they are asked for."""

SUGGESTIVE: Final = frozenset({
    "sexy", "sexier", "sexiest", "seductive", "seductively", "seducing", "sensual", "lingerie", "underwear", "thong",
    "panties", "breasts", "fetish", "aroused", "bedroom eyes", "provocative pose", "suggestive pose", "kinky", "lustful",
    "undressing", "undress", "no bra", "undresses", "unclothed", "genital", "下着", "prostitute", "prostitution",
    "hooker", "micro bikini", "see through dress", "stripping", "sexual", "sexually",
})  # fmt: skip
"""Of `SEXUAL`, what is no picture for adults by itself: a place that is not for adults need not refuse it."""

GROWN: Final = frozenset({
    "adult", "adults", "grown up", "grownup", "grown ups", "grownups", "over 18", "18 plus", "of age", "legal age",
})  # fmt: skip
"""Who wants nobody like this in a sexual picture wants somebody else in it."""

HARMLESS: Final = frozenset({
    "naked eye", "naked mole rat", "naked mole rats", "naked cake", "naked tree", "naked trees", "nude lipstick",
    "nude lips", "nude color", "nude colour", "nude shade", "nude tone", "nude tones", "baby blue", "baby pink",
    "baby grand", "babys breath", "cum laude", "sex education", "same sex", "long underwear", "sex pistols",
    "minor chord", "minor key", "ursa minor", "canis minor", "asia minor", "minor detail", "minor details", "kid gloves",
    "billy the kid", "karate kid", "teen titans", "bottomless pit", "bottomless well", "bottomless lake",
    "breast feeding", "breast milk", "breast cancer", "chicken breast", "chicken breasts", "sperm whale", "sperm whales",
    "bottle nipple", "nipple of a bottle", "stripping paint", "paint stripping", "copper stripping",
    "children of the corn", "sex and the city", "inner child", "baby spinach", "adult content", "adult only",
    "adults only", "baby carrots", "kid rock", "new born star", "puberty blues", "minor planet", "minor planets",
    "minor arcana",
})  # fmt: skip
"""Phrases whose words mean something else; they are taken out before words are looked for."""

AGES: Final = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen",
)  # fmt: skip
"""Ages below eighteen in words."""
ORDINALS: Final = (
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
)
"""Grades of a school, and birthdays of children."""
SPLIT: Final = {
    (whole[:at], whole[at:]): whole
    for whole in (
        "loli", "lolis", "lolicon", "shotacon", "child", "children", "toddler", "toddlers", "schoolgirl", "underage", "preteen",
        "naked", "nude", "hentai", "porn",
    )
    for at in range(1, len(whole))
    if (whole[:at], whole[at:]) not in {("lol", "i"), ("a", "ge"), ("school", "girl"), ("under", "age"), ("pre", "teen")}
}  # fmt: skip
"""Words written as two, where the halves are none that stand beside each other by chance."""
TENS: Final = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety", "hundred")
"""After these, a number in words is no age of its own."""
