"""A made-up country: rivers, towns on them, and what was built there. No fact of it is real."""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice

Fact = str | int
"""A number, words, or another thing by its name."""

NAMES: dict[str, tuple[str, ...]] = {
    "river": (
        *("River Oskel", "River Tarrow", "River Lirra", "River Mosk", "River Brannet"),
        *("River Drith", "River Pask"),
    ),
    "town": (
        *("Aldermarsh", "Brackwell", "Corvane", "Dunmarrow", "Eskerby", "Fennaway", "Garlock"),
        *("Hathermoor", "Inglebeck", "Jarrowden", "Kelthorpe", "Lissenholm", "Marrowick"),
        *("Nethervane", "Orlestead", "Pellgate"),
    ),
    "guild": (
        *("Guild of Rope Makers", "Guild of Salt Boilers", "Guild of Bell Founders"),
        *("Guild of Papermakers", "Guild of Glass Blowers", "Teal Bay Trading Company"),
        *("Three Anchors Company", "Greywater Company", "Lowland Barge Company"),
    ),
    "bridge": (
        *("Heron Bridge", "Copper Bridge", "Saltway Bridge", "Weavers Bridge", "Drovers Bridge"),
        *("Lantern Bridge", "Chapel Bridge", "Tollhouse Bridge", "Willow Bridge", "Anvil Bridge"),
        *("Ferry Bridge", "Millrace Bridge", "Orchard Bridge", "Candle Bridge", "Swan Bridge"),
    ),
    "mill": (
        *("Oldacre Mill", "Hollin Mill", "Spinney Mill", "Kettle Mill", "Larkfield Mill"),
        *("Barrowgate Mill", "Sixpenny Mill", "Thistle Mill", "Overshot Mill", "Hawksweir Mill"),
        *("Underhill Mill", "Farthing Mill", "Plover Mill", "Starling Mill", "Quarry Mill"),
    ),
    "ship": (
        *("Patient Heron", "Silver Kestrel", "Morning Tide", "Grey Petrel", "Ninth Wave"),
        *("Amber Queen", "Winter Wren", "Bright Anchor", "Slow Thunder", "Red Sorrel"),
        *("Northern Bell", "Tide Runner", "Quiet Harbour", "Far Lantern", "Salt Rose"),
    ),
    "museum": (
        *("Rope Walk Museum", "Museum of Tides", "Customs House Museum", "Salt Museum"),
        *("Museum of Knots", "Lamp House Museum", "Museum of Charts", "Bell Museum"),
    ),
}
"""Names by kind of thing; no two things share a name."""

FACTS: dict[str, dict[str, str | range | Sequence[str]]] = {
    "river": {
        "hills": ("Corrin Hills", "Blackrake Heights", "Sallow Downs", "Hagg Fells"),
        "sea": ("Hollow Sea", "Grey Sound", "Bay of Teal"),
        "km": range(60, 400),
    },
    "town": {
        "river": "river",
        "craft": ("pottery", "smoked eel", "blue cloth", "clay pipes", "lace", "pear brandy"),
        "charter": range(1210, 1480),
        "people": range(2_100, 19_000, 100),
    },
    "guild": {"town": "town", "founded": range(1560, 1700), "members": range(40, 900)},
    "bridge": {
        "town": "town",
        "builder": "guild",
        "opened": range(1700, 1880),
        "metres": range(45, 420),
    },
    "mill": {
        "town": "town",
        "owner": "guild",
        "built": range(1690, 1870),
        "product": ("flour", "paper", "linseed oil", "felt", "mustard", "snuff", "malt"),
    },
    "ship": {
        "yard": "town",
        "owner": "guild",
        "launched": range(1790, 1890),
        "metres": range(22, 95),
        "cargo": ("salt", "timber", "wool", "barley", "tar", "dried fish", "coal"),
    },
    "museum": {"town": "town", "figurehead": "ship", "opened": range(1880, 1990)},
}
"""Facts by kind and name: another kind, numbers of which none is used twice, or words."""

SENTENCES = {
    "river": (
        "The {name} rises in the {hills} and flows into the {sea}.",
        "Measured along its bends it is {km} kilometres long.",
    ),
    "town": (
        "{name} is a town of {people} inhabitants on the {river}.",
        "Its charter dates from {charter} and hangs in the town hall.",
        "Visitors of the market look above all for {craft}, which the town is known for.",
    ),
    "guild": (
        "The {name} was founded in {founded} and has its seat in {town}.",
        "The roll of its best year lists {members} members.",
    ),
    "bridge": (
        "{name} carries the main road over the river in the town of {town}.",
        "The {builder} built it at its own expense, and it was opened in {opened}.",
        "Its arches have a total length of {metres} metres.",
    ),
    "mill": (
        "{name} is a water mill near {town}, built in {built}.",
        "It never made anything but {product}.",
        "Its owner is the {owner}, which lets the house to a boat builder.",
    ),
    "ship": (
        "The {name} was a cargo ship, launched in {launched} from a yard in {yard}.",
        "She belonged to the {owner} and carried {cargo}.",
        "Her length was {metres} metres from stem to stern.",
    ),
    "museum": (
        "The {name} in {town} has been open since {opened}.",
        "Its best piece is the figurehead of the ship {figurehead}.",
    ),
}
"""Sentences of a document with the facts in braces; the first one stays first."""
ASIDES = (
    "A booklet for walkers describes the way there and warns of the geese in the meadows.",
    "It is on an old print that hangs in many kitchens of the district, beside the almanac.",
    "The county keeps a list of what is worth preserving, and it has been on it from the start.",
    "Accounts from the time differ in details, as they tend to, and the parish books were lost.",
    "There is little else to be said of it that is not also told of its neighbours in the valley.",
    "Spellings of the name varied until maps were printed, and some of them are still in use.",
    "In wet years the water comes close, and a mark on the wall records how high it once stood.",
    "School classes come on clear Thursdays, and the library lends out drawings of it.",
    "Songs about it are known in the ports on that coast, though nobody agrees on the words.",
    "Repairs are made in winter, when the swifts that nest there have left for the south.",
)
"""Sentences that tell nothing anyone would ask for."""
_ASIDES_EACH = 3


@dataclass(frozen=True)
class Thing:
    """Something with a document of its own."""

    kind: str
    """Kind of the thing, a key of `FACTS`."""
    name: str
    """Name of the thing, also the document's title."""
    facts: Mapping[str, Fact]

    def text(self, rng: random.Random) -> str:
        """Return a document about the thing, in an order of its own."""
        first, *others = SENTENCES[self.kind]
        others += rng.sample(ASIDES, _ASIDES_EACH)
        rng.shuffle(others)
        return " ".join((first, *others)).format(name=self.name, **self.facts)


class Country:
    """The things of a made-up country, by name."""

    def __init__(self, rng: random.Random) -> None:
        self.things: dict[str, Thing] = {}
        for kind, names in NAMES.items():
            columns = {
                fact: _spread(NAMES[values] if isinstance(values, str) else values, len(names), rng)
                for fact, values in FACTS[kind].items()
            }
            for place, name in enumerate(names):
                facts = {fact: column[place] for fact, column in columns.items()}
                self.things[name] = Thing(kind, name, facts)

    def of_kind(self, kind: str) -> list[Thing]:
        """Return all things of a kind."""
        return [self.things[name] for name in NAMES[kind]]

    def follow(self, thing: Thing, path: str) -> Fact:
        """Return the fact that a path leads to, such as `owner.town`: a fact of the owner."""
        link, _, rest = path.partition(".")
        fact = thing.facts[link]
        return self.follow(self.things[str(fact)], rest) if rest else fact


def _spread(values: Iterable[Fact], count: int, rng: random.Random) -> list[Fact]:
    """Return so many of the values, in random order, each as often as the others or once more."""
    order = list(values)
    rng.shuffle(order)
    return list(islice(cycle(order), count))
