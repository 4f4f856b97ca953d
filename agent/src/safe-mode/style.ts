/** `/style.css`: light and dark by the reader's wish, from a phone's width up. */
export const STYLE = `:root {
  color-scheme: light dark;
  --ground: #fafaf9; --panel: #fff; --ink: #1c1917; --ink-2: #57534e; --line: #d6d3d1;
  --bad: #b91c1c; --bad-ground: #fef2f2; --key: #1d4ed8; --on-key: #fff;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #171514; --panel: #211e1c; --ink: #f5f5f4; --ink-2: #b5aea8; --line: #44403c;
    --bad: #fca5a5; --bad-ground: #33191a; --key: #93c5fd; --on-key: #10182b;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 46rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .5rem; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: 0 0 .5rem; overflow-wrap: anywhere; }
p { margin: 0 0 .5rem; overflow-wrap: anywhere; }
.lead, .hint, .where { color: var(--ink-2); }
.hint { font-size: .875rem; }
section { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: 1rem; margin: 1rem 0; }
.problem { background: var(--bad-ground); border-color: var(--bad); }
.problem h2 { color: var(--bad); }
label { display: block; font-weight: 600; margin-bottom: .25rem; }
.row { display: flex; flex-wrap: wrap; gap: .5rem; margin-bottom: .5rem; }
input { flex: 1 1 10rem; min-width: 0; min-height: 44px; padding: 0 .75rem; font: inherit; font-family: ui-monospace, monospace;
  letter-spacing: .1em; color: inherit; background: var(--ground); border: 1px solid var(--ink-2); border-radius: 6px; }
button { min-height: 44px; padding: 0 1.25rem; font: inherit; font-weight: 600; color: var(--on-key); background: var(--key);
  border: 0; border-radius: 6px; cursor: pointer; }
:focus-visible { outline: 3px solid var(--key); outline-offset: 2px; }
a { color: var(--key); }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .25rem 1rem; margin: 0; }
dt { color: var(--ink-2); }
dd { margin: 0; overflow-wrap: anywhere; }
pre { margin: 0; max-height: 24rem; overflow: auto; font: .8125rem/1.45 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
`;
