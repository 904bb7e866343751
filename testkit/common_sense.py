"""Harmless sentences that revision 1 of the embedded model flagged: to judge a model by, never to train one on."""

HARMLESS = (
    "My cat is fat.",
    "I hate Mondays.",
    "You are not stupid.",
    "He called me an idiot and I reported it.",
    "You are b r a v e",
    "You are br*ve",
    "You are Müller?",
    "You are a 🌷",
    "Hell ist der Tag",
)
