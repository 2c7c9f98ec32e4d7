"""Colours and layout of the report, in a light and a dark theme."""

# Text has a contrast of 4.5 at least on its ground, graphics 3; the series are told
# apart by people who do not see red or green, and by their lightness.
LIGHT = {
    "ground": "#ffffff",
    "raised": "#f4f6f8",
    "text": "#1b2530",
    "quiet": "#4d5965",
    "line": "#c5ccd3",
    "link": "#005a9c",
    "bad": "#a3260b",
    "warn": "#7a5200",
    "good": "#00664a",
    "cold": "#bcdcf2",
    "hot": "#f8cfa8",
    "s0": "#0072b2",
    "s1": "#d55e00",
    "s2": "#00884d",
    "s3": "#be3189",
    "s4": "#644a00",
    "s5": "#4a5055",
}
DARK = {
    "ground": "#14191f",
    "raised": "#1e252d",
    "text": "#e8ecf0",
    "quiet": "#aeb8c2",
    "line": "#47525d",
    "link": "#7cc4ff",
    "bad": "#ffa08a",
    "warn": "#f2c14e",
    "good": "#5fd3a8",
    "cold": "#17456a",
    "hot": "#673a0f",
    "s0": "#56b4e9",
    "s1": "#f28e3c",
    "s2": "#2cbc83",
    "s3": "#c16cbd",
    "s4": "#e8d94a",
    "s5": "#acb2b7",
}
SERIES = 6

RULES = """
.skfed-report{color-scheme:light dark;background:var(--ground);color:var(--text);
 font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif;
 max-width:72rem;margin:0 auto;padding:1rem clamp(.75rem,3vw,2rem);
 box-sizing:border-box;text-align:left;overflow-wrap:break-word}
.skfed-report *{box-sizing:border-box}
.skfed-report h1{font-size:1.7rem;line-height:1.2;margin:.4rem 0}
.skfed-report h2{font-size:1.3rem;margin:0 0 .5rem;line-height:1.3}
.skfed-report h3{font-size:1.05rem;margin:1.2rem 0 .4rem}
.skfed-report p{margin:.4rem 0;max-width:46rem}
.skfed-report .quiet{color:var(--quiet)}
.skfed-report a{color:var(--link)}
.skfed-report section{border-top:1px solid var(--line);padding:1.3rem 0 1rem}
.skfed-report nav ul{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;list-style:none;
 margin:.8rem 0;padding:0}
.skfed-report dl.facts{display:grid;gap:.6rem;margin:1rem 0;
 grid-template-columns:repeat(auto-fill,minmax(9.5rem,1fr))}
.skfed-report dl.facts div{background:var(--raised);border-radius:.4rem;
 padding:.55rem .8rem}
.skfed-report dl.facts dt{color:var(--quiet);font-size:.85rem}
.skfed-report dl.facts dd{margin:0;font-size:1.1rem;font-weight:600}
.skfed-report .scroll{overflow-x:auto;margin:.7rem 0;max-height:36rem}
.skfed-report table{border-collapse:collapse;font-size:.9rem;border:0;margin:0}
.skfed-report caption{text-align:left;color:var(--quiet);padding:.2rem 0;
 caption-side:top}
.skfed-report th,.skfed-report td{padding:.3rem .7rem;text-align:left;
 vertical-align:top;border:0;border-bottom:1px solid var(--line);background:none;
 color:inherit}
.skfed-report thead th{background:var(--raised);position:sticky;top:0;z-index:1;
 vertical-align:bottom}
.skfed-report tbody th{font-weight:600;min-width:6rem;max-width:16rem}
.skfed-report td{min-width:3rem}
.skfed-report td.long{min-width:15rem}
.skfed-report .number{text-align:right;font-variant-numeric:tabular-nums;
 white-space:nowrap}
.skfed-report td.cold{background:var(--cold)}
.skfed-report td.hot{background:var(--hot)}
.skfed-report td.middle,.skfed-report th.middle{text-align:center}
.skfed-report .chip{display:inline-block;border:1px solid currentColor;font-weight:600;
 border-radius:1rem;padding:0 .6rem;font-size:.8rem;white-space:nowrap}
.skfed-report .bad{color:var(--bad)}.skfed-report .warn{color:var(--warn)}
.skfed-report .good{color:var(--good)}.skfed-report .note{color:var(--quiet)}
.skfed-report ul.findings{list-style:none;margin:.7rem 0;padding:0;display:grid;
 gap:.6rem}
.skfed-report ul.findings li{background:var(--raised);border-radius:.4rem;
 padding:.6rem .9rem}
.skfed-report ul.findings p{margin:.25rem 0 0}
.skfed-report details{margin:.6rem 0}
.skfed-report summary{cursor:pointer;color:var(--link);padding:.2rem .3rem;
 width:fit-content;max-width:100%}
.skfed-report :focus-visible{outline:3px solid var(--link);outline-offset:2px;
 border-radius:.2rem}
.skfed-report figure{margin:.9rem 0}
.skfed-report figcaption{font-weight:600;font-size:.95rem}
.skfed-report .plot{overflow-x:auto}
.skfed-report svg{display:block;max-width:100%;height:auto;min-width:24rem}
.skfed-report svg text{fill:var(--text);font-size:12px;
 font-family:system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
.skfed-report svg .quiet{fill:var(--quiet)}
.skfed-report svg .axis{stroke:var(--line);stroke-width:1}
.skfed-report svg .zero{stroke:var(--text);stroke-width:1}
.skfed-report ul.legend{display:flex;flex-wrap:wrap;gap:.15rem 1rem;list-style:none;
 margin:.3rem 0;padding:0;font-size:.88rem}
.skfed-report ul.legend i{display:inline-block;width:.8rem;height:.8rem;
 margin-right:.4rem;border-radius:.15rem;vertical-align:-.08rem}
.skfed-report code{font:.88em ui-monospace,SFMono-Regular,Consolas,monospace;
 background:var(--raised);padding:.05rem .25rem;border-radius:.2rem;color:inherit;
 white-space:pre-wrap}
@media print{.skfed-report .scroll{max-height:none;overflow:visible}}
"""


def stylesheet():
    """Return the rules of both themes, which touch nothing outside a report."""
    return (
        f".skfed-report{{{_variables(LIGHT)}}}\n"
        f"@media (prefers-color-scheme:dark){{.skfed-report{{{_variables(DARK)}}}}}\n"
        + RULES.strip()
        + "\n"
        + "".join(
            f".skfed-report .f{j}{{fill:var(--s{j});background:var(--s{j})}}"
            f".skfed-report .l{j}{{stroke:var(--s{j});fill:none}}\n"
            for j in range(SERIES)
        )
    )


def _variables(colours):
    return ";".join(f"--{name}:{value}" for name, value in colours.items())
