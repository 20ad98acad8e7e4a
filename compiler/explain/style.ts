/** @file How the page looks: light and dark, wide, narrow and printed. */
export const style = `
:root {
  color-scheme: light dark;
  --paper: #ffffff; --ink: #1d2430; --soft: #5b6575; --line: #d9dee6; --box: #f6f8fa;
  --value: #1f5fbf; --value-box: #e9f1fd; --back: #b4480f; --back-box: #fdf0e6; --mark: #fff3bf;
  --shade: #0000002e; --given: #eceff3; --weight: #e8f5ec; --weight-line: #4d8f66;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14181f; --ink: #e3e8ef; --soft: #9aa6b6; --line: #343d4a; --box: #1c222b;
    --value: #7fb2ff; --value-box: #1b2b44; --back: #ffa36b; --back-box: #3a2517; --mark: #4a4217;
    --shade: #ffffff38; --given: #262d38; --weight: #1c3326; --weight-line: #6cb98a;
  }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, "Segoe UI", "Liberation Sans", "DejaVu Sans", sans-serif; overflow-wrap: break-word; }
a { color: var(--value); text-decoration-thickness: 1px; text-underline-offset: 2px; }
code, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 0.875em; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 0.75rem; }
h2 { font-size: 1.35rem; line-height: 1.3; margin: 2.5rem 0 0.75rem; }
h3 { font-size: 1.1rem; margin: 0 0 0.25rem; }
h4 { font-size: 0.95rem; margin: 1.1rem 0 0.35rem; }
p { margin: 0.4rem 0; }
.page { max-width: 88rem; margin: 0 auto; padding: 1.25rem; }
main { min-width: 0; }
.scrolls { overflow: auto; max-width: 100%; }
.formula { overflow-x: auto; overflow-y: hidden; padding: 0.45rem 0; max-width: 100%; }
.formula math { text-align: left; }
.formula, pre, .line-of-model {
  --box-here: var(--paper);
  background: linear-gradient(to right, var(--box-here) 40%, transparent) 0 0 / 2.5rem 100% no-repeat local,
    linear-gradient(to left, var(--box-here) 40%, transparent) 100% 0 / 2.5rem 100% no-repeat local,
    linear-gradient(to right, var(--shade), transparent) 0 0 / 0.8rem 100% no-repeat scroll,
    linear-gradient(to left, var(--shade), transparent) 100% 0 / 0.8rem 100% no-repeat scroll var(--box-here);
}
math { font-family: "Cambria Math", "STIX Two Math", "STIXTwoMath-Regular", "Latin Modern Math", "Noto Sans Math", math; font-size: 1.06em; }
math.tml-display { display: block math; width: max-content; }
mtd { padding: 0.25ex 0.15em; }
mtable.tml-jot mtd { padding-top: 0.7ex; padding-bottom: 0.7ex; }
.tml-right { text-align: right; } .tml-left { text-align: left; }
.soft, .place { color: var(--soft); font-size: 0.9rem; }
.legend { display: flex; flex-wrap: wrap; gap: 0.3rem 1.2rem; font-size: 0.9rem; color: var(--soft); }
.legend i { display: inline-block; width: 1.6rem; height: 0; border-top: 2px solid var(--value); vertical-align: middle; margin-right: 0.4rem; }
.legend .back i { border-top: 2px dashed var(--back); }
table { border-collapse: collapse; font-size: 0.92rem; }
th, td { text-align: left; padding: 0.2rem 1rem 0.2rem 0; border-bottom: 1px solid var(--line); }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
pre { margin: 0; padding: 0.7rem 0.9rem; --box-here: var(--box); border: 1px solid var(--line); border-radius: 8px; overflow-x: auto; line-height: 1.45; tab-size: 2; }
pre span { display: inline; }
pre .marked { background: var(--mark); }
pre .gap, pre .number { color: var(--soft); user-select: none; }
pre a { color: inherit; text-decoration-color: var(--soft); }
.line-of-model { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 0.95rem; --box-here: var(--box); border: 1px solid var(--line); border-left: 4px solid var(--value); border-radius: 6px; padding: 0.55rem 0.8rem; overflow-x: auto; white-space: pre; font-weight: 600; }
.line-of-model .elsewhere { color: var(--soft); font-weight: 400; }
.line-of-model mark { background: var(--mark); color: inherit; }
.statement { border: 1px solid var(--line); border-radius: 10px; margin: 1.1rem 0; padding: 0.9rem 1rem 1rem; min-width: 0; }
.statement:target, .derivative:target, li:target { outline: 2px solid var(--value); outline-offset: 2px; }
.kind { display: inline-block; font-size: 0.8rem; font-weight: 400; color: var(--soft); border: 1px solid var(--line); border-radius: 99px; padding: 0 0.6rem; margin-left: 0.5rem; }
.forward h4 { color: var(--value); } .backward h4, .backward h5 { color: var(--back); }
.backward { border-top: 1px solid var(--line); margin-top: 0.9rem; }
.derivative { border-left: 3px solid var(--back); padding: 0.15rem 0 0.15rem 0.9rem; margin: 0.8rem 0; min-width: 0; border-radius: 2px; }
.derivative h5, .extra h5 { margin: 0 0 0.15rem; font-size: 0.92rem; }
.steps { margin: 0.3rem 0; }
.steps > summary { cursor: pointer; font-size: 0.92rem; color: var(--soft); }
.steps ol { margin: 0.4rem 0; padding-left: 1.4rem; }
.steps li { margin: 0.4rem 0; }
.steps .pass { font-weight: 600; }
.remark { background: var(--back-box); border-radius: 8px; padding: 0.6rem 0.9rem; margin: 0.8rem 0; }
.formula.result { --box-here: var(--back-box); border-radius: 6px; padding: 0.45rem 0.7rem; margin: 0.35rem 0; }
.forward .formula.result { --box-here: var(--value-box); }
.code { display: grid; grid-template-columns: minmax(0, 1fr); gap: 0.8rem; margin-top: 0.9rem; border-top: 1px solid var(--line); }
.code > div { min-width: 0; }
.code pre { font-size: 0.86rem; max-height: 28rem; }
.code pre + p { margin-top: 0.8rem; }
details.group > summary { cursor: pointer; list-style-position: outside; }
.whole > summary { cursor: pointer; padding: 0.2rem 0; }
.backward-list li { margin: 0.35rem 0; }
.picture { display: block; margin: 0 auto; max-width: 100%; height: auto; }
.picture text { text-anchor: middle; fill: var(--ink); font: 12px ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.picture .detail { fill: var(--soft); font-size: 11px; font-family: system-ui, "Liberation Sans", "DejaVu Sans", sans-serif; }
.picture .node { fill: var(--value-box); stroke: var(--value); stroke-width: 1; }
.picture .given { fill: var(--given); stroke: var(--soft); }
.picture .parameter { fill: var(--weight); stroke: var(--weight-line); }
.picture .loss { stroke-width: 2.5; }
.picture .back { fill: var(--back-box); stroke: var(--back); }
.picture a:hover .node, .picture a:focus .node { stroke-width: 2.5; }
.picture .edge { fill: none; stroke: var(--value); stroke-width: 1.5; }
.picture .edge.cotangent { stroke: var(--back); stroke-dasharray: 5 3; }
.picture marker.value { fill: var(--value); } .picture marker.cotangent { fill: var(--back); }
.group-picture { border: 1px solid var(--line); border-radius: 10px; padding: 0.6rem; margin: 0.8rem 0; max-height: 46rem; overflow: auto; }
.group-picture .picture { max-width: none; }
@media (min-width: 1000px) {
  .page { display: grid; grid-template: "side head" auto "side main" 1fr / minmax(18rem, 27rem) minmax(0, 1fr); gap: 0.5rem 2.25rem; align-items: start; }
  header { grid-area: head; } main { grid-area: main; }
  .side { grid-area: side; position: sticky; top: 1rem; max-height: calc(100vh - 2rem); overflow: auto; padding-right: 0.5rem; }
  .code { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); }
  .code.alone { grid-template-columns: minmax(0, 1fr); }
}
@media (max-width: 999px) {
  .page { padding: 1rem 0.9rem; }
  .statement { padding: 0.75rem 0.8rem; }
}
@media print {
  :root { color-scheme: light; --paper: #fff; --ink: #000; --soft: #444; --line: #bbb; --box: #fff; }
  body { font-size: 10.5pt; }
  .page { display: block; max-width: none; padding: 0; }
  .side { position: static; max-height: none; }
  pre, .code pre, .group-picture { max-height: none; white-space: pre-wrap; overflow: visible; }
  .code { grid-template-columns: minmax(0, 1fr); }
  details::details-content { content-visibility: visible; block-size: auto; }
  .derivative, .steps li, pre { break-inside: avoid; }
  h2, h3, h4, h5 { break-after: avoid; }
}
`;

/** Some browsers do not open what a link leads into. Without scripts, everything else works as well. */
export const script = `
const reveal = () => {
  const found = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (let each = found; each; each = each.parentElement) if (each.tagName === 'DETAILS') each.open = true;
  found?.scrollIntoView();
};
addEventListener('hashchange', reveal);
if (location.hash) reveal();
`;
