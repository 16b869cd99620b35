/** The look of the report: one column, light and dark by the reader's choice, and ink on paper. */
export const REPORT_STYLE = `
:root{color-scheme:light dark;--ground:#fff;--ink:#1a1f24;--faint:#4d565e;--line:#c5ccd3;--box:#f5f7f9;--link:#0a4fa3;--fail:#a3121f;--warn:#7a4a00;--ok:#1a6120;--unknown:#4b4f8a}
@media screen and (prefers-color-scheme:dark){:root{--ground:#14181c;--ink:#eef2f5;--faint:#b3bdc6;--line:#4a545d;--box:#1c2227;--link:#8fc1ff;--fail:#ff9b9b;--warn:#ffc66b;--ok:#8fdc93;--unknown:#bcc0ff}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1rem;max-width:60rem;background:var(--ground);color:var(--ink);font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.6rem;margin:.2em 0}h2{font-size:1.3rem;margin:2em 0 .5em;border-bottom:1px solid var(--line)}h3{font-size:1.05rem;margin:0 0 .3em}
a{color:var(--link)}nav ul{display:flex;flex-wrap:wrap;gap:.3rem 1rem;list-style:none;padding:0}
.card{background:var(--box);border:1px solid var(--line);border-left:.35rem solid var(--line);border-radius:.4rem;padding:.7rem .9rem;margin:.7rem 0}
.card.fail{border-left-color:var(--fail)}.card.warn{border-left-color:var(--warn)}.card.ok{border-left-color:var(--ok)}.card.unknown{border-left-color:var(--unknown)}
.word{font-weight:700;text-transform:uppercase;font-size:.8rem;letter-spacing:.04em}.word.fail{color:var(--fail)}.word.warn{color:var(--warn)}.word.ok{color:var(--ok)}.word.unknown{color:var(--unknown)}
.faint{color:var(--faint)}p{margin:.4em 0}code,pre{font:0.9rem/1.45 ui-monospace,monospace}
pre{white-space:pre-wrap;background:var(--ground);border:1px solid var(--line);border-radius:.3rem;padding:.6rem;margin:.5em 0}
.card ul{list-style:none;padding:0;margin:0}.card li{padding:.4rem 0;border-top:1px solid var(--line)}.card li:first-child{border-top:0}
dl{display:grid;grid-template-columns:minmax(7rem,max-content) 1fr;gap:.1rem .9rem;margin:.3em 0}dt{color:var(--faint)}dd{margin:0}
summary{cursor:pointer;padding:.3rem 0}svg{display:block}
@media (max-width:30rem){dl{grid-template-columns:1fr}dd{margin-bottom:.4em}}
@media print{body{max-width:none;font-size:10pt}nav,.raw{display:none}.card,svg{break-inside:avoid}h2,h3{break-after:avoid}a{color:inherit;text-decoration:none}}
`;
