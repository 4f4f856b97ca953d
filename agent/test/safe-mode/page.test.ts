import { describe, expect, it } from 'vitest';
import { factsOf, type Found } from '../../src/safe-mode/facts.ts';
import { renderAnswer, renderPage } from '../../src/safe-mode/page.ts';
import { parseReason, type SafeModeReason } from '../../src/safe-mode/reason.ts';

const REASON: SafeModeReason = {
  schemaVersion: 1,
  device: 'pi-7',
  role: 'menu-board',
  commit: '0123456789abcdef0123456789abcdef01234567',
  since: '2026-11-24T04:00:00Z',
  by: 'failure',
  problem: { code: 'health-failed', what: 'web is not healthy', where: 'menu-board', remedy: 'See its log.' },
  log: '--- web\nno such file',
};
const FOUND: Found = {
  reason: REASON,
  hostname: 'pi-7',
  model: 'Raspberry Pi 4 Model B Rev 1.4',
  serial: '10000000abcdef01',
  pages: ['http://192.168.1.7/'],
  ssh: 'switched-on',
  journal: 'from the journal',
};

/** What a browser shows as text. */
const textOf = (html: string): string => html.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ');

describe('the page of safe mode', () => {
  it('says who the device is, what failed and what to do, and shows the log and the button', () => {
    const page = renderPage(factsOf(FOUND));
    for (const said of [
      'pi-7 is in safe mode',
      'web is not healthy',
      'See its log.',
      'menu-board@0123456789ab',
      'http://192.168.1.7/',
      'Raspberry Pi 4 Model B Rev 1.4',
      '10000000abcdef01',
      'for keys alone',
      'no such file',
      'Redeploy',
    ]) {
      expect(textOf(page)).toContain(said);
    }
    expect(page).toContain('<form method="post" action="/redeploy">');
  });

  it('takes nothing from elsewhere and runs no script', () => {
    const page = renderPage(factsOf(FOUND));
    expect(page).not.toMatch(/<script|\son\w+=|style="|src=/i);
    const links = new Set([...page.matchAll(/href="([^"]*)"/g)].map(([, href]) => href));
    expect([...links]).toEqual(['/style.css', 'http://192.168.1.7/', '/status.json']);
  });

  it('shows what others wrote as text, wherever it stands', () => {
    const evil = `"><img src=x onerror='alert(1)'>&lt;`;
    const page = renderPage(
      factsOf({
        ...FOUND,
        reason: {
          ...REASON,
          ...{ device: evil, role: evil, commit: evil, since: evil, log: evil },
          problem: { code: 'health-failed', what: evil, where: evil, remedy: evil },
        },
        ...{ hostname: `${evil}2`, model: evil, serial: evil, pages: [`http://x/${evil}`] },
      }),
    );
    expect(page).not.toContain('<img');
    expect(page).not.toContain(`'alert`);
    expect(page).toContain('&quot;&gt;&lt;img src=x onerror=&#39;alert(1)&#39;&gt;&amp;lt;');
    expect(renderAnswer({ title: evil, text: evil })).not.toContain('<img');
  });

  it('leaves out what a terminal would obey and what turns the direction of writing', () => {
    const page = renderPage(
      factsOf({
        ...FOUND,
        reason: { ...REASON, log: '\u001B[31mred\u001B[0m\u0000 \u202Eevil\nnext\tline' },
      }),
    );
    expect(page).toContain('red evil\nnext\tline</pre>');
  });

  it('masks what looks like a secret, in the log and in the problem', () => {
    const problem = {
      code: 'source-denied',
      what: 'https://bot:hunter2@git.example refused',
      where: 'token=abc123',
    } as const;
    const facts = factsOf({ ...FOUND, reason: { ...REASON, problem, log: 'password=hunter2' } });
    expect(JSON.stringify(facts)).not.toMatch(/hunter2|abc123/);
  });

  it('shows the journal where the reason brings no log', () => {
    expect(factsOf({ ...FOUND, reason: { ...REASON, log: ' ' } }).log).toBe('from the journal');
  });

  it('is there, and says so, when nobody could write down why', () => {
    const facts = factsOf({ ...FOUND, reason: parseReason('{"schemaVersion":1,') });
    expect(facts).toMatchObject({ device: 'pi-7', by: null, log: 'from the journal' });
    expect(textOf(renderPage(facts))).toContain('Nobody has written down why');
  });

  it('shows the end of a log that is too long', () => {
    const { log } = factsOf({ ...FOUND, reason: { ...REASON, log: `${'x'.repeat(100_000)}the end` } });
    expect(log.length).toBeLessThan(50_000);
    expect(log).toMatch(/the end$/);
  });
});
