import type { Facts } from './facts.ts';

/** What became of a press of the button, for the page that answers it. */
export interface Answer {
  readonly title: string;
  readonly text: string;
}

const WHY = {
  failure: 'What runs here failed, and nothing healthy was left to go back to. The stack was stopped.',
  crashes: 'The agent itself kept failing. What was running was left as it is.',
  order: 'Somebody ordered it. The stack was stopped.',
} as const;

/** The page of safe mode: one document, no script, nothing from elsewhere but `/style.css`. */
export function renderPage(facts: Facts): string {
  const { device, problem, log, by } = facts;
  return document(
    `${device} is in safe mode`,
    `<p class="lead">${escape(by === null ? 'The device runs nothing of its role.' : WHY[by])}</p>
<section class="problem" aria-labelledby="what">
<h2 id="what">${escape(problem.what)}</h2>
${problem.where === undefined ? '' : `<p class="where">${escape(problem.where)}</p>`}
${problem.remedy === undefined ? '' : `<p>${escape(problem.remedy)}</p>`}
</section>
<section aria-labelledby="again">
<h2 id="again">Try again</h2>
<form method="post" action="/redeploy">
<label for="code">Code</label>
<div class="row">
<input id="code" name="code" required maxlength="20" autocomplete="off" autocapitalize="characters" spellcheck="false" aria-describedby="hint">
<button>Redeploy</button>
</div>
<p id="hint" class="hint">The code stands on the screen at the device’s HDMI port, and on the device’s page of the
dashboard. It works from the local network only. What is wanted is then tried again, although it failed before.</p>
</form>
</section>
<section aria-labelledby="who">
<h2 id="who">This device</h2>
<dl>
${rowsOf(facts)
  .map(([name, value]) => `<dt>${name}</dt><dd>${value}</dd>`)
  .join('\n')}
</dl>
</section>
<section aria-labelledby="log">
<h2 id="log">Last lines of the log</h2>
<pre tabindex="0" aria-labelledby="log">${escape(log === '' ? '(none)' : log)}</pre>
</section>
<p class="hint">The same for programs: <a href="/status.json">status.json</a></p>`,
  );
}

/** What answers a press of the button. */
export function renderAnswer({ title, text }: Answer): string {
  return document(title, `<p class="lead">${escape(text)}</p>\n<p><a href="/">Back</a></p>`);
}

function rowsOf(facts: Facts): [string, string][] {
  const { device, hostname, role, commit, since, model, serial, pages, ssh } = facts;
  const release = role === null ? null : `${role}${commit === null ? '' : `@${commit.slice(0, 12)}`}`;
  const links = pages.map((url) => `<a href="${escape(url)}">${escape(url)}</a>`).join('<br>');
  const rows: [string, string | null][] = [
    ['Name', escape(device)],
    ['Host name', hostname === device ? null : escape(hostname)],
    ['What failed', orNull(release)],
    ['Since', orNull(since)],
    ['Addresses', links === '' ? 'no network' : links],
    ['Model', orNull(model)],
    ['Serial', orNull(serial)],
    ['SSH', orNull(ssh)],
  ];
  return rows.filter((row): row is [string, string] => row[1] !== null);
}

function orNull(text: string | null): string | null {
  return text === null ? null : escape(text);
}

function document(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${escape(title)}</title>
<link rel="stylesheet" href="/style.css">
</head>
<body>
<main>
<h1>${escape(title)}</h1>
${body}
</main>
</body>
</html>
`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/**
 * Text as text, in an element or an attribute. Control characters (colours of a terminal) and those that turn the
 * direction of writing are left out: they could make a line of a log look like another.
 */
function escape(text: string): string {
  return (
    text
      // oxlint-disable-next-line no-control-regex -- what a terminal obeys is what is meant
      .replaceAll(/\u001B\[[0-9;?]*[A-Za-z]/g, '')
      .replaceAll(/[\p{Cc}\u202A-\u202E\u2066-\u2069]/gu, (character) =>
        /[\n\t]/.test(character) ? character : '',
      )
      .replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
  );
}
