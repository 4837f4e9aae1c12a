"""A made-up country: rivers, towns on them, and what was built there. No fact of it is real."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import cycle, islice

RIVERS = (
    *("Oskel", "Tarrow", "Lirra", "Mosk", "Brannet", "Drith"),
    *("Quenna", "Harrel", "Umberlow", "Pask", "Sedda", "Vennow"),
)
HILLS = (
    *("Corrin Hills", "Blackrake Heights", "Sallow Downs", "Ninestone Hills"),
    *("Hagg Fells", "Longrigg Ridge", "Cinder Moor", "Whitlow Edge"),
)
SEAS = ("Hollow Sea", "Grey Sound", "Bay of Teal")
TOWNS = (
    *("Aldermarsh", "Brackwell", "Corvane", "Dunmarrow", "Eskerby", "Fennaway"),
    *("Garlock", "Hathermoor", "Inglebeck", "Jarrowden", "Kelthorpe", "Lissenholm"),
    *("Marrowick", "Nethervane", "Orlestead", "Pellgate", "Quillmouth", "Ravensholt"),
    *("Sandlepool", "Tarnhythe", "Ulverscombe", "Varnhold", "Wexcombe", "Yarrowfold"),
)
BRIDGES = (
    *("Heron", "Copper", "Saltway", "Weavers", "Drovers", "Lantern", "Chapel", "Tollhouse"),
    *("Willow", "Anvil", "Ferry", "Millrace", "Orchard", "Candle", "Fullers", "Coopers"),
    *("Twin Arch", "Market", "Swan", "Iron Gate", "Pilgrims", "Beacon", "Rushes", "Long Stone"),
)
GUILDS = (
    *("Guild of Rope Makers", "Guild of Salt Boilers", "Guild of Bell Founders"),
    *("Guild of Papermakers", "Guild of Glass Blowers", "Guild of Stone Cutters"),
)
COMPANIES = (
    *("Northlight Shipping Company", "Teal Bay Trading Company", "Amber Route Company"),
    *("Three Anchors Company", "Greywater Company", "Lowland Barge Company"),
    *("Wool Staplers Company", "Far Harbour Company"),
)
MILLS = (
    *("Oldacre", "Hollin", "Burnt Ash", "Spinney", "Kettle", "Two Wheels", "Larkfield"),
    *("Cold Well", "Barrowgate", "Sixpenny", "Thistle", "Overshot", "Hawksweir", "Gravel Lane"),
    *("Underhill", "Farthing", "Plover", "Starling", "Broadwheel", "Marl Pit"),
)
LIGHTS = (
    *("Gull Head", "Cape Tern", "Skerry Point", "Black Ledge", "Auk Rock", "Sable Ness"),
    *("Old Horn", "Pebble Spit", "Kittiwake", "Long Shoal", "Drift Point", "Ember Head"),
)
SHIPS = (
    *("Patient Heron", "Silver Kestrel", "Morning Tide", "Grey Petrel", "Ninth Wave"),
    *("Amber Queen", "Winter Wren", "Bright Anchor", "Slow Thunder", "Red Sorrel"),
    *("Northern Bell", "Tide Runner", "Quiet Harbour", "Marigold", "Far Lantern"),
    *("Salt Rose", "Copper Crown", "Evening Gannet", "Steady Hand", "White Osprey"),
    *("Lucky Penny", "Green Meridian"),
)
CANALS = (
    *("Old Junction", "Peat Cut", "Bargemen", "Summit"),
    *("Fen Link", "Duckweed", "Grain", "Straight Mile"),
)
MUSEUMS = (
    *("Rope Walk Museum", "Museum of Tides", "Customs House Museum", "Salt Museum"),
    *("Wheel and Stone Museum", "Museum of Knots", "Lamp House Museum", "Museum of Charts"),
    *("Bell Museum", "Museum of Small Boats", "Fen Life Museum", "Museum of Weather"),
)
FESTIVALS = (
    *("Lantern Night", "Feast of Barges", "Herring Fair", "Goose Week", "Apple Rolling"),
    *("Rope Pull", "Night of Bells", "First Thaw Fair", "Ice Market", "Reed Cutting"),
)
CRAFTS = (
    *("pottery", "smoked eel", "basket work", "blue cloth", "clay pipes", "honey cakes"),
    *("lace", "pear brandy", "slate", "boat nails", "rye bread", "cider"),
)
PRODUCTS = ("flour", "paper", "linseed oil", "felt", "mustard", "snuff", "malt", "bone meal")
CARGOES = ("salt", "timber", "wool", "barley", "roof slates", "tar", "dried fish", "coal")
MATERIALS = ("granite", "oak", "sandstone", "brick", "wrought iron")
MONTHS = ("January", "February", "April", "May", "June", "August", "September", "November")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
FATES = (
    "was broken up",
    "was sold abroad",
    "ran aground on a sandbank",
    "was laid up as a store ship",
    "was rebuilt as a training ship",
)
HOUSES = ("a rope store", "a tannery", "a town brewery", "a weigh house", "a grain loft")


@dataclass(frozen=True)
class Thing:
    """Something with a document of its own."""

    kind: str
    """`river`, `town`, `bridge`, ..."""
    name: str
    """The document's title; no two things share it."""
    facts: Mapping[str, str | int]
    """By name; other things occur by their short names, as texts mention them."""


class World:
    """All things, by kind and by name."""

    def __init__(self, seed: str) -> None:
        """Make them from a seed: the same seed, the same world."""
        self._rng = random.Random(seed)
        self._taken: set[tuple[str, int]] = set()
        self.things: list[Thing] = []
        self._rivers_and_towns()
        self._guilds()
        self._bridges_and_mills()
        self._coast()
        self._inland()

    def of(self, kind: str) -> list[Thing]:
        """All things of a kind."""
        return [thing for thing in self.things if thing.kind == kind]

    def at(self, kind: str, fact: str, value: str | int) -> Thing:
        """The one thing of a kind with that fact; raises ValueError if there is not just one."""
        [thing] = [thing for thing in self.of(kind) if thing.facts[fact] == value]
        return thing

    def _add(self, kind: str, name: str, **facts: str | int) -> None:
        self.things.append(Thing(kind, name, {"name": name, **facts}))

    def _number(self, what: str, low: int, high: int) -> int:
        """A number from low to below high that no other thing has for it."""
        while True:
            number = self._rng.randrange(low, high)
            if (what, number) not in self._taken:
                self._taken.add((what, number))
                return number

    def _shuffled(self, values: tuple[str, ...], count: int) -> list[str]:
        """So many of the values, in chance order, each as often as the others or once more."""
        order = list(values)
        self._rng.shuffle(order)
        return list(islice(cycle(order), count))

    def _rivers_and_towns(self) -> None:
        for name, hills in zip(RIVERS, self._shuffled(HILLS, len(RIVERS)), strict=True):
            self._add(
                *("river", f"River {name}"),
                short=name,
                hills=hills,
                sea=self._rng.choice(SEAS),
                km=self._number("river km", 60, 400),
                width=self._number("river width", 30, 150),
                surveyed=self._number("surveyed", 1760, 1860),
            )
        rivers = self._shuffled(RIVERS, len(TOWNS))
        crafts = self._shuffled(CRAFTS, len(TOWNS))
        for name, river, craft in zip(TOWNS, rivers, crafts, strict=True):
            self._add(
                *("town", name),
                river=river,
                craft=craft,
                charter=self._number("charter", 1210, 1480),
                day=self._rng.choice(DAYS),
                people=self._number("people", 21, 190) * 100,
                fire=self._number("fire", 1620, 1790),
            )

    def _guilds(self) -> None:
        seats = self._shuffled(TOWNS, len(GUILDS) + len(COMPANIES))
        for name, town in zip(GUILDS + COMPANIES, seats, strict=True):
            self._add(
                *("guild", name),
                town=town,
                founded=self._number("founded", 1560, 1700),
                members=self._number("members", 40, 900),
                hall=self._number("hall", 1831, 1900),
                cargo=self._rng.choice(CARGOES),
            )

    def _bridges_and_mills(self) -> None:
        builders = self._shuffled(GUILDS, len(BRIDGES))
        towns = self._shuffled(TOWNS, len(BRIDGES))
        for name, town, builder in zip(BRIDGES, towns, builders, strict=True):
            self._add(
                *("bridge", f"{name} Bridge"),
                town=town,
                river=self._river_at(town),
                builder=builder,
                opened=self._number("opened", 1700, 1880),
                widened=self._number("widened", 1881, 1960),
                metres=self._number("bridge metres", 45, 420),
                arches=self._rng.randrange(3, 15),
                material=self._rng.choice(MATERIALS),
            )
        towns = self._shuffled(TOWNS, len(MILLS))
        owners = self._shuffled(GUILDS + COMPANIES, len(MILLS))
        for name, town, owner in zip(MILLS, towns, owners, strict=True):
            self._add(
                *("mill", f"{name} Mill"),
                town=town,
                river=self._river_at(town),
                owner=owner,
                product=self._rng.choice(PRODUCTS),
                built=self._number("built", 1690, 1870),
                closed=self._number("closed", 1871, 1955),
                wheels=self._rng.randrange(2, 9),
            )

    def _coast(self) -> None:
        for town in sorted(self._shuffled(TOWNS, 8)):
            self._add(
                *("harbour", f"Harbour of {town}"),
                town=town,
                dug=self._number("dug", 1640, 1850),
                metres=self._rng.randrange(5, 19),
                berths=self._number("berths", 6, 60),
                ice=self._rng.choice(("freezes over in most winters", "never freezes")),
            )
        for name, town in zip(LIGHTS, self._shuffled(TOWNS, len(LIGHTS)), strict=True):
            self._add(
                *("lighthouse", f"{name} Light"),
                town=town,
                lit=self._number("lit", 1730, 1890),
                electric=self._number("electric", 1891, 1950),
                metres=self._number("light metres", 14, 62),
                seconds=self._rng.randrange(3, 20),
                sea=self.at("river", "short", self._river_at(town)).facts["sea"],
            )
        yards = self._shuffled(TOWNS, len(SHIPS))
        owners = self._shuffled(COMPANIES, len(SHIPS))
        for name, yard, owner in zip(SHIPS, yards, owners, strict=True):
            launched = self._number("launched", 1790, 1890)
            self._add(
                *("ship", f"{name} (ship)"),
                short=name,
                yard=yard,
                owner=owner,
                launched=launched,
                end=launched + self._rng.randrange(9, 48),
                metres=self._number("ship metres", 22, 95),
                cargo=self._rng.choice(CARGOES),
                fate=self._rng.choice(FATES),
            )

    def _inland(self) -> None:
        for hills, town in zip(HILLS, self._shuffled(TOWNS, len(HILLS)), strict=True):
            self._add(
                *("observatory", f"{hills} Observatory"),
                hills=hills,
                town=town,
                opened=self._number("dome", 1800, 1920),
                centimetres=self._number("lens", 20, 110),
                domes=self._rng.randrange(2, 6),
            )
        rivers = self._shuffled(RIVERS, len(CANALS) + 3)
        for name, first, second in zip(CANALS, rivers[:-3], rivers[3:], strict=True):
            self._add(
                *("canal", f"{name} Canal"),
                first=first,
                second=second,
                completed=self._number("completed", 1750, 1860),
                locks=self._number("locks", 4, 40),
                km=self._number("canal km", 7, 80),
            )
        towns, ships = self._shuffled(TOWNS, len(MUSEUMS)), self._shuffled(SHIPS, len(MUSEUMS))
        for name, town, ship in zip(MUSEUMS, towns, ships, strict=True):
            self._add(
                *("museum", name),
                town=town,
                ship=ship,
                opened=self._number("museum", 1880, 1990),
                house=self._rng.choice(HOUSES),
                rooms=self._rng.randrange(4, 23),
            )
        for name, town in zip(FESTIVALS, self._shuffled(TOWNS, len(FESTIVALS)), strict=True):
            self._add(
                *("festival", name),
                town=town,
                month=self._rng.choice(MONTHS),
                begun=self._number("begun", 1610, 1890),
                days=self._rng.randrange(2, 9),
            )

    def _river_at(self, town: str) -> str | int:
        return self.at("town", "name", town).facts["river"]
