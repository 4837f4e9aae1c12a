"""What is written about each thing: every fact in one of several phrasings."""

import random

from sample.search.country import Thing

MOST_ASIDES = 2
"""Sentences at the end of a document that tell nothing anyone would ask for."""

PHRASES: dict[str, tuple[tuple[str, ...], ...]] = {
    "river": (
        (
            "The {short} is a river that rises in the {hills} and flows into the {sea}.",
            "From its source in the {hills} the river {short} makes its way down to the {sea}.",
            "The river {short} begins as a spring in the {hills}; its mouth is on the {sea}.",
        ),
        (
            "It is {km} kilometres long.",
            "Measured along its bends it has a length of {km} kilometres.",
            "Its whole course is {km} kilometres, of which barges use the lower half.",
        ),
        (
            "Near the mouth it is {width} metres wide.",
            "The last ferry crosses it where it has grown to a width of {width} metres.",
        ),
        (
            "The first survey of the valley was drawn in {surveyed}.",
            "It was mapped in {surveyed}, when a flood had moved part of its bed.",
        ),
        (
            "Spring floods are common, and the meadows on both banks are left to hay and geese.",
            "Salmon return to the upper reaches in autumn, past weirs that once served mills.",
            "In dry summers the gravel islands can be reached on foot.",
        ),
    ),
    "town": (
        (
            "{name} is a town on the river {river}.",
            "On a bend of the {river} lies the town of {name}.",
            "The town of {name} stands on the left bank of the {river}.",
        ),
        (
            "It received its charter in {charter}.",
            "Its charter dates from {charter} and hangs in the town hall.",
        ),
        (
            "About {people} people live there.",
            "At the last count it had {people} inhabitants.",
        ),
        (
            "It is known for its {craft}, which is sold at the market every {day}.",
            "Every {day} there is a market, where visitors look above all for {craft}.",
        ),
        (
            "A fire in {fire} destroyed most of the old quarter.",
            "Little is older than {fire}, the year of the great fire.",
        ),
        (
            "The streets climb from the water to a square with lime trees and a covered well.",
            "Two gates of the wall are left, and one of them serves as the fire station.",
            "The quay has become a promenade, and the warehouses behind it are workshops.",
        ),
    ),
    "bridge": (
        (
            "{name} carries the main road over the {river} in the town of {town}.",
            "{name} is the bridge over the river {river} at {town}.",
            "In {town} the river {river} is crossed by {name}.",
        ),
        (
            "It was opened in {opened} and widened in {widened}.",
            "The bridge opened to carts in {opened}; footpaths were added in {widened}.",
            "Traffic has used it since {opened}, when it was opened after years of delay.",
        ),
        (
            "Its {arches} arches of {material} have a total length of {metres} metres.",
            "It is {metres} metres long and rests on {arches} arches of {material}.",
        ),
        (
            "It was built by the {builder}.",
            "The {builder} built it at its own expense and kept the toll for thirty years.",
            "The builder was the {builder}, which had never tried a bridge before.",
        ),
        (
            "Lamps on the parapet show boats the middle arch at night.",
            "A mark on the third pier records how high the worst flood came.",
            "Swifts nest below the roadway, so repairs are made in winter.",
        ),
    ),
    "guild": (
        (
            "The {name} was founded in {founded} and has its seat in {town}.",
            "The {name}, founded in {founded}, is seated in the town of {town}.",
            "Since it was founded in {founded}, the {name} has had its seat in {town}.",
        ),
        (
            "Its present hall was finished in {hall}.",
            "It moved into a new hall in {hall}, across the street from the old one.",
        ),
        (
            "At its height it had {members} members.",
            "The roll of its best year lists {members} members.",
        ),
        (
            "Much of its early wealth came from {cargo}.",
            "It began with the trade in {cargo}, which it held for two generations.",
        ),
        (
            "The accounts are complete but for nine years and may be read on request.",
            "Once a year it opens its cellars, and the town comes to see the great scales.",
            "It still pays for the street lamps around its hall, as an old agreement demands.",
            "New members give a silver spoon, and the collection fills a wall of the hall.",
        ),
    ),
    "mill": (
        (
            "{name} is a water mill on the {river} near {town}.",
            "Near the town of {town} the river {river} drives {name}.",
            "{name} stands by the {river}, half an hour on foot from {town}.",
        ),
        (
            "It was built in {built} and ground its last load in {closed}.",
            "Built in {built}, it worked until {closed}.",
            "A stone over the door gives {built} as the year in which it was built.",
        ),
        (
            "The mill made {product}.",
            "It never made anything but {product}.",
            "Its product was {product}, which went down the river by barge.",
        ),
        (
            "The mill belongs to the {owner}.",
            "Its owner is the {owner}, which lets the house to a boat builder.",
            "It is owned by the {owner}.",
        ),
        (
            "It had {wheels} wheels, of which one still turns.",
            "There were {wheels} wheels; the largest can be seen from the road.",
        ),
        (
            "The pond behind it freezes early and draws skaters from the villages around.",
            "Bats live in the loft, and the roof was mended without driving them out.",
            "Barn owls keep the mice down, as they did when it was full of sacks.",
        ),
    ),
    "harbour": (
        (
            "The harbour of {town} was dug in {dug}, before the sandbanks had moved.",
            "In {dug} the harbour of {town} was dug by hand in two summers.",
        ),
        (
            "It is {metres} metres deep at low water and has {berths} berths.",
            "There are {berths} berths, and at low water the basin is {metres} metres deep.",
        ),
        (
            "The basin {ice}.",
            "Unlike others in the district, it {ice}.",
        ),
        (
            "A wall of boulders keeps off the swell from the west.",
            "The entrance is narrow, and larger ships wait outside for the tide.",
            "Dredgers work there in spring, after the river has brought down its silt.",
        ),
        (
            "Herring was landed here for two centuries; the curing sheds are shops by now.",
            "The crane on the quay is worked by hand and lifts the boats of the sailing school.",
        ),
        (
            "A tide gauge in the harbour office has been read every morning without a gap.",
            "The harbour office keeps a bell that is rung in fog, and a list of lost anchors.",
        ),
    ),
    "lighthouse": (
        (
            "{name} is a lighthouse near {town}, on the coast of the {sea}.",
            "Off {town} the lighthouse {name} warns ships on the {sea}.",
            "The lighthouse called {name} stands near {town} and looks over the {sea}.",
        ),
        (
            "It was first lit in {lit} and has been electric since {electric}.",
            "The lamp was first lit in {lit}; the oil store was emptied in {electric}.",
        ),
        (
            "The tower is {metres} metres tall.",
            "From the rock to the lantern it is {metres} metres tall.",
            "With {metres} metres the tower is as tall as the law then allowed.",
        ),
        (
            "It flashes every {seconds} seconds.",
            "One white flash every {seconds} seconds is its mark.",
        ),
        (
            "Storms have twice broken the lower windows, and the door is now on the land side.",
            "The last keepers left when the light was made automatic, and their garden runs wild.",
            "Visitors may climb it on calm days, eight at a time.",
        ),
        (
            "Migrating thrushes circle it in October, and counts of them are published every year.",
            "Its fog horn can be heard inland and sets off every dog in the parish.",
        ),
    ),
    "ship": (
        (
            "The {short} was a cargo ship launched in {launched} at {yard}.",
            "Built in a yard at {yard}, the ship {short} was launched in {launched}.",
            "In {launched} a yard in {yard} launched the {short}, a sailing ship.",
        ),
        (
            "She belonged to the {owner} and carried {cargo}.",
            "Her owner was the {owner}, for which she carried {cargo}.",
            "The {owner} owned her and filled her with {cargo}.",
        ),
        (
            "She was {metres} metres long.",
            "Her length was {metres} metres from stem to stern.",
        ),
        (
            "In {end} the ship {fate}.",
            "Her career ended in {end}, when she {fate}.",
        ),
        (
            "Her log books mention three dismastings and a whale that followed her for a week.",
            "Crews liked her, as she was dry in heavy seas and the galley was large.",
            "She was slow in light winds, and captains asked for another ship when they could.",
        ),
        (
            "A model of her hangs in the yard's old drawing office.",
            "Songs about her are still known in the ports on that coast.",
        ),
    ),
    "observatory": (
        (
            "The {name} stands in the {hills} above {town}.",
            "Above {town}, where the {hills} are highest, stands the {name}.",
        ),
        (
            "It was opened in {opened}.",
            "Its first night of work was in {opened}, the year in which it was opened.",
        ),
        (
            "The main telescope has a lens of {centimetres} centimetres.",
            "Its largest lens measures {centimetres} centimetres across.",
        ),
        (
            "There are {domes} domes, painted white against the heat.",
            "It has {domes} domes, and the smallest houses a seismograph.",
        ),
        (
            "Double stars were its first subject, and its catalogue of them was used for decades.",
            "Comets made it known, and two small planets were found on its plates.",
        ),
        (
            "Street lamps in the valley are shaded by agreement with the councils.",
            "School classes come on clear Thursdays, and the library lends out star maps.",
        ),
    ),
    "canal": (
        (
            "The {name} joins the rivers {first} and {second}.",
            "Boats pass from the {first} to the {second} by the {name}.",
        ),
        (
            "It was completed in {completed}, after the first company had failed.",
            "Work on it was completed in {completed}, nine years late.",
        ),
        (
            "It has {locks} locks on a length of {km} kilometres.",
            "On its {km} kilometres there are {locks} locks.",
        ),
        (
            "Horses drew the barges, and their path along the bank is a cycle way today.",
            "Grain went one way and roof tiles the other until the roads were better.",
        ),
        (
            "A pumping station holds the water at the summit, and its engine is run on holidays.",
            "In a tunnel under the ridge crews had to push the boats along with their feet.",
        ),
        (
            "Anglers know it for tench, and painters for its alders and brick bridges.",
            "Half of it was filled in, dug out by volunteers and reopened without a ceremony.",
        ),
    ),
    "museum": (
        (
            "The {name} in {town} has been open since {opened}.",
            "Opened in {opened}, the {name} is in the middle of {town}.",
        ),
        (
            "It is housed in {house}.",
            "Its {rooms} rooms fill {house} of the last century but one.",
        ),
        (
            "Its best piece is the figurehead of the ship {ship}.",
            "Visitors come for the figurehead of the {ship}, which fills the stairwell.",
            "It shows the figurehead of the ship {ship}, carved from one piece of elm.",
        ),
        (
            "Tools and work clothes are shown next to recordings of those who used them.",
            "Most things on show were given by families of the town, with a note on their use.",
        ),
        (
            "The guided tour ends in a workshop, where visitors may try what they have seen.",
            "Labels are short, drawers may be opened, and children get a list of things to find.",
        ),
        (
            "It is shut on Mondays and in the week of the spring tide.",
            "A reading room on the upper floor keeps letters, maps and a card index.",
        ),
    ),
    "festival": (
        (
            "{name} is held in {town} every {month}.",
            "Every {month} the town of {town} holds {name}.",
        ),
        (
            "It lasts {days} days.",
            "The programme fills {days} days, and the schools are closed for most of them.",
        ),
        (
            "It was first held in {begun}, after a winter of hunger.",
            "The oldest record of it, from {begun}, complains about the noise.",
        ),
        (
            "Boats are decked with ribbons, and the oldest one leads them down the river.",
            "There is a race with barrows over the cobbles, which the bakers have won most often.",
        ),
        (
            "Soup is cooked in a copper pot in the square and costs what each can give.",
            "Musicians play on the steps of the town hall until the night watch sends them home.",
        ),
        (
            "It was forbidden twice, each time for a year, and was larger when it came back.",
            "In wet years it moves under the arcades, which some prefer.",
        ),
    ),
}
"""By kind: for each sentence of a document, its phrasings. Facts stand in braces."""

ASIDES = (
    "A booklet for walkers describes the way there.",
    "It is on an old print that hangs in many kitchens of the district.",
    "The county keeps a list of what is worth preserving, and it is on it.",
    "Accounts from the time differ in details, as they tend to.",
    "There is little else to be said that is not also told of its neighbours.",
    "Spellings of the name varied until maps were printed.",
    "A plaque was put up some years ago.",
)


def document(thing: Thing, rng: random.Random) -> str:
    """Text about the thing, between 60 and 120 words."""
    first, *others = (rng.choice(phrasings) for phrasings in PHRASES[thing.kind])
    rng.shuffle(others)
    asides = list(ASIDES)
    rng.shuffle(asides)
    sentences = [first, *others, *asides[: rng.randrange(MOST_ASIDES + 1)]]
    text = " ".join(sentences).format(**thing.facts)
    while len(text.split()) < 60:
        text += f" {asides.pop()}"
    return text[0].upper() + text[1:]
