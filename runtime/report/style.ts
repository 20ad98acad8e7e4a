/** The style of a report: of light and dark, of screen and paper. The colours of series are told apart in both, and by most eyes. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #ffffff; --text: #1b1c1e; --faint: #5c6066; --line: #e2e4e8; --accent: 42 120 214;
  --series-0: #2a78d6; --series-1: #d9541e; --series-2: #16875f; --series-3: #8a4fc7; --series-4: #a86f00; --series-5: #c2368a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #16181b; --text: #e8eaed; --faint: #a0a6ae; --line: #33373d; --accent: 72 146 236;
    --series-0: #5aa2f2; --series-1: #f0834f; --series-2: #3fbf8f; --series-3: #b48cf0; --series-4: #d9a030; --series-5: #ee79b9;
  }
}
body { margin: 2rem auto; max-width: 70rem; padding: 0 1rem; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
h1, h2 { line-height: 1.2; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); padding-bottom: 0.3rem; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr)); gap: 1.5rem 2rem; }
figure { margin: 0; min-width: 0; }
figcaption { font-weight: 600; }
.legend { display: flex; flex-wrap: wrap; gap: 0 1rem; margin: 0; padding: 0; list-style: none; color: var(--faint); font-size: 0.85rem; }
.key { width: 24px; height: 8px; margin-right: 0.35rem; vertical-align: middle; }
.chart { width: 100%; height: auto; }
.chart text { fill: var(--faint); font-size: 12px; }
.grid path { stroke: var(--line); }
.key path, .curve { fill: none; stroke: var(--faint); stroke-width: 2; stroke-linejoin: round; }
.dashed { stroke-dasharray: 6 3; }
.series-0 { --own: var(--series-0); } .series-1 { --own: var(--series-1); } .series-2 { --own: var(--series-2); }
.series-3 { --own: var(--series-3); } .series-4 { --own: var(--series-4); } .series-5 { --own: var(--series-5); }
path[class*='series-'] { stroke: var(--own, var(--line)); }
circle, .beyond { fill: var(--own); }
.broken { stroke: var(--faint); stroke-dasharray: 2 4; fill: none; }
figure .note { margin: 0; font-size: 0.85rem; }
.wide { overflow-x: auto; }
table { margin-bottom: 1.5rem; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 0.2rem 0.7rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
thead th { color: var(--faint); font-weight: 600; }
.matrix td { min-width: 2.2rem; text-align: center; border: 1px solid var(--page); background: rgb(var(--accent) / calc(var(--share) * 0.55)); }
.matrix th { text-align: center; }
.matrix tbody th { text-align: right; }
.matrix .right { font-weight: 600; }
caption { text-align: left; color: var(--faint); padding-bottom: 0.4rem; }
pre { overflow-x: auto; font-size: 0.85rem; }
.note { color: var(--faint); }
summary { cursor: pointer; }
`;
