"""Who the demo's suppliers are: people, their businesses and places, by country and trade. Pure."""

from dataclasses import dataclass
from random import Random
from unicodedata import normalize
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Country:
    weight: int
    locale: str
    currency: str
    code: str  # of telephone numbers
    south: bool
    cities: tuple[tuple[str, str], ...]  # with their time zones
    first: str
    last: str


def cities(zone: str, names: str) -> tuple[tuple[str, str], ...]:
    return tuple((name.strip(), zone) for name in names.split(","))


ENGLISH_FIRST = (
    "Amelia Olivia Emily Charlotte Grace Hannah Lucy Imogen Freya Priya Aisha Niamh Megan Zara "
    "Thomas James Oliver Harry Callum Rohan Daniel Samuel Edward Marcus Adebayo Joel"
)
ENGLISH_LAST = (
    "Hughes Bennett Carter Doyle Ellis Foster Gallagher Harding Iqbal Jennings Kaur Lawson Marsh "
    "Norris Okafor Palmer Quinn Reeves Shah Turner Underwood Vaughan Walsh Yates Mercer Ashby"
)
COUNTRIES: tuple[Country, ...] = (
    Country(24, "en-GB", "GBP", "+44 20 7946", False,
            cities("Europe/London", "London, Bristol, Leeds, Manchester, Bath, Edinburgh, Cardiff, Norwich, York"),
            ENGLISH_FIRST, ENGLISH_LAST),
    Country(5, "en-IE", "EUR", "+353 1 555", False, cities("Europe/Dublin", "Dublin, Cork, Galway, Kilkenny, Sligo"),
            "Aoife Ciara Saoirse Niamh Róisín Orla Sinéad Maeve Conor Cillian Oisín Darragh Eoin Fionn Declan Padraig",
            "Byrne Kelly Murphy Doherty Keane Brennan Nolan Fitzgerald McCarthy Sheridan Lynch Tierney Mulligan Hogan"),
    Country(22, "en-US", "USD", "+1 212 555", False,
            cities("America/New_York", "Brooklyn, Savannah, Boston, Charleston, Asheville") + cities("America/Chicago", "Austin, Nashville, Chicago, Madison")
            + cities("America/Denver", "Denver, Santa Fe, Boise") + cities("America/Los_Angeles", "Portland, Oakland, San Diego, Seattle"),
            "Ava Madison Brooke Savannah Jasmine Elena Camila Naomi Rachel Kayla Tessa Maya "
            "Ethan Caleb Diego Tyler Andre Wesley Jordan Miles Luis Nathan",
            "Anderson Brooks Castillo Delgado Everett Fisher Greenberg Hayes Ingram Jefferson "
            "Kim Lopez Morales Nguyen Owens Pruitt Ramirez Sullivan Tran Whitaker"),
    Country(6, "en-CA", "CAD", "+1 416 555", False,
            cities("America/Toronto", "Toronto, Ottawa, Kingston") + cities("America/Vancouver", "Vancouver, Victoria, Kelowna"),
            "Claire Sophie Emma Leah Kiran Chloé Mackenzie Anika Liam Noah Étienne Lucas Gurpreet Owen Mathieu Ryan",
            "Tremblay Gagnon MacDonald Singh Campbell Roy Chen Leblanc Fraser Wong Bouchard Sinclair Dhillon Murray"),
    Country(8, "en-AU", "AUD", "+61 2 5550", True,
            cities("Australia/Sydney", "Sydney, Newcastle, Byron Bay") + cities("Australia/Melbourne", "Melbourne, Geelong")
            + cities("Australia/Perth", "Perth, Fremantle"),
            "Matilda Isla Ruby Sienna Poppy Evie Harriet Mia Lachlan Jack Cooper Angus Hamish Archie Flynn Xavier",
            "Wilson Nguyen Taylor Ryan Papadopoulos Kelly Martin Harris Thompson Barton Sinclair Rossi Cameron Doyle"),
    Country(3, "en-NZ", "NZD", "+64 9 555", True, cities("Pacific/Auckland", "Auckland, Wellington, Nelson, Queenstown"),
            "Aroha Anahera Georgia Ella Maia Holly Tane Wiremu Finn Blake Luca Caleb",
            "Ngata Parata Williams Tamihana Clarke Henare Fraser Walker Reid McKenzie"),
    Country(12, "de-DE", "EUR", "+49 30 555", False,
            cities("Europe/Berlin", "Berlin, München, Hamburg, Köln, Leipzig, Freiburg, Dresden") + cities("Europe/Vienna", "Wien, Salzburg"),
            "Anna Lena Katharina Johanna Franziska Marlene Theresa Aylin Greta Ronja Lukas Jonas Felix Moritz Sebastian Emre Florian Henrik Tobias Matthias",
            "Keller Vogel Brandt Schäfer Lorenz Winkler Hoffmann Yıldız Baumann Seidel Kühn Engel Pohl Arnold Böhm Ziegler Sommer Haas"),
    Country(7, "fr-FR", "EUR", "+33 1 99 00", False, cities("Europe/Paris", "Paris, Lyon, Bordeaux, Nantes, Aix-en-Provence, Annecy"),
            "Camille Manon Élodie Juliette Inès Margaux Clémence Amina Léa Solène Hugo Antoine Théo Bastien Julien Karim Maxime Rémi",
            "Moreau Lefèvre Girard Roussel Fontaine Chevalier Mercier Benali Perrin Garnier Leroux Dumas Marchand Vidal"),
    Country(5, "es-ES", "EUR", "+34 910 55", False, cities("Europe/Madrid", "Madrid, Sevilla, Valencia, Barcelona, Granada"),
            "Lucía Carmen Marta Paula Alba Irene Nuria Rocío Javier Álvaro Sergio Pablo Iñigo Rubén Marcos Adrián",
            "García Navarro Romero Ortega Iglesias Molina Castro Vega Serrano Ibáñez Herrera Campos Rubio Prieto"),
    Country(5, "it-IT", "EUR", "+39 06 555", False, cities("Europe/Rome", "Roma, Firenze, Milano, Verona, Lecce, Como"),
            "Giulia Chiara Francesca Martina Elisa Sofia Ilaria Beatrice Luca Matteo Alessandro Davide Lorenzo Pietro Simone Andrea",
            "Rossi Bianchi Conti Ferrari Galli Marchetti Rinaldi Moretti Colombo DeLuca Caruso Fabbri Greco Villa"),
    Country(5, "nl-NL", "EUR", "+31 20 555", False, cities("Europe/Amsterdam", "Amsterdam, Utrecht, Haarlem, Groningen, Breda"),
            "Sanne Lotte Fleur Eva Noor Anouk Femke Yasmin Daan Bram Sem Thijs Jasper Ruben Joost Milan",
            "Jansen Bakker Visser Smit Meijer Mulder Bos Vermeulen Dekker Hendriks Postma Kuipers Brouwer Hofstra"),
    Country(4, "sv-SE", "SEK", "+46 8 555", False, cities("Europe/Stockholm", "Stockholm, Göteborg, Malmö, Uppsala, Visby"),
            "Elsa Alva Ebba Maja Linnea Saga Wilma Tuva Oscar Axel Viktor Elias Nils Anton Leo Gustav",
            "Lindqvist Bergström Sandberg Nyström Ekman Holm Forsberg Åkesson Sjögren Wallin Hedlund Norberg"),
)  # fmt: skip

TRADES = {"photographer": 34, "venue": 14, "florist": 12, "caterer": 10, "planner": 10, "band": 6, "videographer": 7, "cake maker": 4, "hair and make-up": 3}
ENGLISH = {
    "photographer": ("{last} Photography", "{first} {last} Photography", "Golden Hour by {first}", "{last} & Light"),
    "venue": ("{last} Manor", "The {last} Barn", "{city} Orangery", "{last} House", "The Old Mill, {city}"),
    "florist": ("{last} Flowers", "Wild {last}", "{first}'s Garden", "Bloom & {last}"),
    "caterer": ("{last} Kitchen", "{last} & Daughters Catering", "Table by {first}", "{city} Feast Co"),
    "planner": ("{first} {last} Weddings", "{last} Events", "Planned by {first}"),
    "band": ("The {last} Trio", "{first} & the Late Trains", "{city} Swing Society", "The {last} Quartet"),
    "videographer": ("{last} Films", "{first} {last} Motion", "{city} Wedding Films"),
    "cake maker": ("{first} Bakes", "{last} Cakes", "The {city} Cakery"),
    "hair and make-up": ("{first} {last} Beauty", "Brides by {first}", "{last} Hair & Make-up"),
}
OWN_WORDS: dict[str, dict[str, tuple[str, ...]]] = {
    "de": {
        "photographer": ("Fotografie {last}", "{first} {last} Fotografie"),
        "venue": ("Gut {last}", "Schloss {last}hof", "Landhaus {last}"),
        "florist": ("Blumen {last}", "Blütenwerk {city}"),
        "caterer": ("{last} Feinkost", "Küche {last}"),
        "planner": ("{last} Hochzeiten", "Traumtag {city}"),
        "band": ("Tanzkapelle {last}", "{last} Quintett"),
    },
    "fr": {
        "photographer": ("{first} {last} Photographie", "Atelier {last}"),
        "venue": ("Château {last}", "Domaine de {last}", "Le Mas {last}"),
        "florist": ("Fleurs {last}", "L'Herbier de {first}"),
        "caterer": ("Maison {last} Traiteur", "La Table de {first}"), "planner": ("{first} {last} Mariages",), "band": ("Le Quartet {last}",),
    },
    "es": {
        "photographer": ("{first} {last} Fotografía",),
        "venue": ("Finca {last}", "Cortijo {last}"),
        "florist": ("Flores {last}",),
        "caterer": ("Catering {last}",),
        "planner": ("Bodas {last}",),
        "band": ("Orquesta {last}",),
    },
    "it": {
        "photographer": ("{first} {last} Fotografia",),
        "venue": ("Villa {last}", "Tenuta {last}"),
        "florist": ("Fiori {last}",),
        "caterer": ("{last} Banqueting",),
        "planner": ("Nozze {last}",),
        "band": ("Quartetto {last}",),
    },
    "nl": {
        "photographer": ("{last} Fotografie",),
        "venue": ("Landgoed {last}", "Hoeve {last}"),
        "florist": ("Bloemen {last}",),
        "caterer": ("{last} aan Tafel",),
        "planner": ("{last} Bruiloften",),
    },
    "sv": {
        "photographer": ("{last} Foto", "Fotograf {first} {last}"),
        "venue": ("{last}s Gård", "{last}s Herrgård"),
        "florist": ("{last}s Blommor",),
        "caterer": ("{last}s Kök",),
        "planner": ("{last} Bröllop",),
    },
}  # fmt: skip
HOSTS = ("example.com", "example.org", "example.net")


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    email: str
    phone: str
    company: str
    trade: str
    locale: str
    zone: ZoneInfo
    currency: str
    south: bool  # where summer is in January


def draw(rng: Random) -> Person:
    """A person with a business, whose name, place, language and currency belong together."""
    country = rng.choices(COUNTRIES, [country.weight for country in COUNTRIES])[0]
    first, last = rng.choice(country.first.split()), rng.choice(country.last.split())
    city, zone = rng.choice(country.cities)
    trade = rng.choices(list(TRADES), list(TRADES.values()))[0]
    company = rng.choice(OWN_WORDS.get(country.locale[:2], {}).get(trade, ENGLISH[trade])).format(first=first, last=last, city=city)
    return Person(
        name=f"{first} {last}",
        email=f"{ascii_of(first)}.{ascii_of(last)}.{ascii_of(city)}@{rng.choice(HOSTS)}",
        phone=f"{country.code} {rng.randrange(10_000):04}",
        company=company,
        trade=trade,
        locale=country.locale,
        zone=ZoneInfo(zone),
        currency=country.currency,
        south=country.south,
    )


def ascii_of(text: str) -> str:
    plain = normalize("NFKD", text.lower().replace("ı", "i")).encode("ascii", "ignore").decode()
    return "".join(c for c in plain if c.isalnum())
