// node render.mjs IN.md OUT.html github|azure
//
// A step summary as its page shows it: GitHub's Markdown parser, GitHub's allow-list for HTML, and on top what
// GitHub adds itself, alerts and diagrams. For `azure` those two stay as they are: a pessimistic stand-in.
// The page's title says `ready` once every diagram was drawn; `found` counts what no foreign text may bring in.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const packages = createRequire(`${process.env.ACR_SIGN_SUMMARY_PACKAGES ?? process.cwd()}/package.json`);
const load = async (name) => import(pathToFileURL(packages.resolve(name)));
const { fromHtml } = await load('hast-util-from-html');
const { sanitize, defaultSchema } = await load('hast-util-sanitize');
const { toHtml } = await load('hast-util-to-html');

const [markdown, out, profile] = process.argv.slice(2);
const file = (name) => pathToFileURL(packages.resolve(name)).href;
const extensions = ['table', 'strikethrough', 'autolink', 'tasklist', 'tagfilter'].flatMap((name) => ['-e', name]);
const raw = execFileSync('cmark-gfm', ['--unsafe', ...extensions, markdown], { encoding: 'utf8' });
const body = toHtml(sanitize(fromHtml(raw, { fragment: true }), defaultSchema));

// Runs in the page.
function finish(profile) {
  const page = document.querySelector('article');
  const count = (selector) => page.querySelectorAll(selector).length;
  // What stands outside of code may link, mention or style; foreign text stands in code only.
  const text = [];
  const walk = document.createTreeWalker(page, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) if (!walk.currentNode.parentElement.closest('code, pre')) text.push(walk.currentNode.data);
  const found = {
    links: count('a'), images: count('img'), scripts: count('script, iframe, form, input, style'),
    marks: count('em, del, h1, h2, h6'), mentions: text.filter((one) => /@\w/.test(one)).length,
    tables: count('table'), ragged: [...page.querySelectorAll('table')].filter((table) =>
      new Set([...table.rows].map((row) => row.cells.length)).size !== 1).length,
  };
  document.documentElement.dataset.found = JSON.stringify(found);
  if (profile !== 'github') { document.title = 'ready'; return; }
  for (const quote of document.querySelectorAll('blockquote')) {
    const first = quote.querySelector('p');
    const match = /^\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\]\s*/.exec(first?.textContent ?? '');
    if (!match) continue;
    first.firstChild.textContent = first.firstChild.textContent.replace(match[0].trim(), '').trimStart();
    const alert = document.createElement('div'), title = document.createElement('p'), kind = match[1].toLowerCase();
    alert.className = `markdown-alert markdown-alert-${kind}`;
    title.className = 'markdown-alert-title';
    title.textContent = match[1][0] + kind.slice(1);
    alert.append(title, ...quote.childNodes);
    quote.replaceWith(alert);
  }
  for (const details of document.querySelectorAll('details')) details.open = true;
  for (const code of document.querySelectorAll('code.language-mermaid')) {
    const diagram = document.createElement('pre');
    diagram.className = 'mermaid';
    diagram.textContent = code.textContent;
    code.parentElement.replaceWith(diagram);
  }
  mermaid.initialize({ startOnLoad: false, securityLevel: 'strict' });
  mermaid.run().then(() => { document.title = 'ready'; }, (error) => { document.title = `diagram: ${error.message}`; });
}

writeFileSync(out, `<!doctype html><html><meta charset="utf-8"><title>rendering</title>
<link rel="stylesheet" href="${file('github-markdown-css/github-markdown-light.css')}">
<style>body{max-width:980px;margin:0 auto;padding:24px;font-family:sans-serif}</style>
<article class="markdown-body">${body}</article>
${profile === 'github' ? `<script src="${file('mermaid/dist/mermaid.min.js')}"></script>` : ''}
<script>(${finish})(${JSON.stringify(profile)})</script></html>`);
