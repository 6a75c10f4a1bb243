"""CSS and icon of the pages, beyond the theme in .streamlit/config.toml."""

from cxrmodel.paths import ASSETS

ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" rx="12" fill="#11181f"/>'
    '<g fill="none" stroke="#7cc4d8" stroke-width="4" stroke-linecap="round" stroke-linejoin="round">'
    '<path d="M32 10v22l-6 5"/><path d="M32 32l6 5"/>'
    '<path d="M26 22c-9 3-16 16-16 28 0 4 5 5 9 3l7-4z"/><path d="M38 22c9 3 16 16 16 28 0 4-5 5-9 3l-7-4z"/>'
    "</g></svg>"
)

_PAGE = (ASSETS / "shell" / "page.css").read_text(encoding="utf-8")

STYLE = (
    f"<style>{_PAGE}</style>"
    + """
<style>
h1 { font-size: 2rem !important; padding: 0.5rem 0 !important; }
ul.forest.forest { list-style: none; margin: 0 0 0.4rem; padding: 0; }
.forest li { display: grid; grid-template-columns: minmax(9rem, 17rem) minmax(8rem, 1fr) 13rem; gap: 0.2rem 1rem;
  align-items: center; margin: 0; padding: 0.25rem 0; border-bottom: 1px solid #2c3742; font-size: 0.92rem; }
.forest small { display: block; color: #aeb9c2; font-size: 0.8rem; }
.forest .figure { font-variant-numeric: tabular-nums; }
.forest .track { position: relative; height: 1.1rem; background: #1a2129; border-radius: 0.2rem; }
.forest .track i { position: absolute; display: block; }
.forest .whisker { top: 0.47rem; height: 0.16rem; background: #56b4e9; }
.forest .dot { top: 0.25rem; width: 0.6rem; height: 0.6rem; margin-left: -0.3rem; border-radius: 50%;
  background: #56b4e9; }
.forest .diamond { top: 0.25rem; width: 0.55rem; height: 0.55rem; margin-left: -0.28rem; transform: rotate(45deg);
  background: #f0e442; }
.forest .dot.few, .forest .diamond.few { background: #0e1217; border: 2px solid #56b4e9; }
.forest .mark { top: 0; height: 100%; border-left: 2px dotted #8a97a3; }
/* Named twice, as above. */
dl.headline.headline { display: grid; grid-template-columns: repeat(auto-fit, minmax(12rem, 1fr)); gap: 0.75rem;
  margin: 0; padding: 0; }
.headline > div { background: #1a2129; border: 1px solid #2c3742; border-radius: 0.5rem; padding: 0.6rem 0.9rem; }
.headline dt { color: #b8c3cc; font-weight: 400; font-size: 0.9rem; margin: 0; }
.headline dt small { color: #aeb9c2; }
.headline dd { margin: 0; padding: 0; font-variant-numeric: tabular-nums; }
.headline dd b { font-size: 1.6rem; }
.headline dd span { color: #b8c3cc; font-size: 0.9rem; white-space: nowrap; }
/* The height of a chart, so that nothing moves when the chart is drawn. */
.chart-place { height: 430px; }
.st-key-decision { min-height: 1080px; }
@media (max-width: 1200px) { .st-key-decision { min-height: 1300px; } }
@media (max-width: 800px) { .st-key-decision { min-height: 2050px; } }
h4 { font-size: 0.95rem !important; padding: 0.4rem 0 0.2rem !important; margin: 0 !important; color: #c9d3db; }
.forest li.scale { border: 0; padding: 0; }
.forest .ends { display: flex; justify-content: space-between; }
.forest .ends b { color: #aeb9c2; font-size: 0.8rem; font-weight: 400; }
.st-key-card h2 { font-size: 1.5rem; }
.st-key-card h3 { font-size: 1.15rem; }
.st-key-card table { display: block; overflow-x: auto; max-width: 100%; }
.st-key-card td { min-width: 6.5rem; }
.st-key-card code, .st-key-hashes code { overflow-wrap: anywhere; white-space: normal; }
@media (max-width: 640px) {
  dl.headline.headline { grid-template-columns: 1fr 1fr; gap: 0.5rem; }
  .headline dd span { display: block; }
  .forest li { grid-template-columns: 1fr; gap: 0.15rem; }
  [data-testid="stTable"] { overflow-x: auto; }
  [data-testid="stTable"] th, [data-testid="stTable"] td { min-width: 5.2rem; }
  .st-key-seeds td:last-child { min-width: 18rem; }
}
</style>
"""
)
