import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { barriers, DESK, launch, openPage, PHONE, scrollsSideways, smallTargets } from './browser.ts';
import { FleetProgram, freePort } from './fleet-program.ts';

let browser: Browser;
let demo: FleetProgram;
let screen: string;
let origin: string;
let page: Page;
let complaints: string[];

beforeAll(async () => {
  demo = new FleetProgram(['demo', '--devices', '24', '--port', String(await freePort())]);
  [screen] = await demo.says(/Look at it[^]*Ctrl-C ends everything/);
  [origin = ''] = /http:\/\/localhost:\d+/.exec(screen) ?? [];
  browser = await launch();
  ({ page, complaints } = await signedIn(DESK));
});
afterAll(async () => {
  await browser?.close();
  await demo?.stop();
});

/** A page of somebody who has signed in as the demo says. */
async function signedIn(options: BrowserContextOptions): Promise<{ page: Page; complaints: string[] }> {
  const opened = await openPage(await browser.newContext(options));
  const [, name = '', password = ''] = /name\s+(\S+)\n\s+password\s+(\S+)/.exec(screen) ?? [];
  await opened.page.goto(origin);
  await opened.page.getByLabel('Name').fill(name);
  await opened.page.getByLabel('Password').fill(password);
  await opened.page.getByRole('button', { name: 'Sign in' }).click();
  await opened.page.getByRole('heading', { name: 'Overview' }).waitFor();
  return opened;
}

/** Runs a command that the demo printed, by the first word of what it says about it. */
async function run(word: string): Promise<void> {
  const [, command = 'false'] = new RegExp(`^ {2}(?:and )?${word}.*:\\n {4}(.+)$`, 'm').exec(screen) ?? [];
  await promisify(execFile)('sh', ['-c', command]);
}

const menuTo = (name: string) =>
  page.getByRole('navigation').getByRole('link', { name, exact: true }).first().click();
/** The whole of a rollout takes a while; the page has to show it without being touched. */
const IN_TIME = { timeout: 60_000 };

describe('a fleet in the browser', () => {
  it('shows every device, and says that all is well', async () => {
    await page.getByText('All 24 devices are well', { exact: false }).waitFor(IN_TIME);
    await page.getByRole('link', { name: /pi-0001/ }).waitFor();
    expect(await page.getByRole('link', { name: /^pi-\d+ Healthy$/ }).count()).toBe(24);
    await page.getByLabel('by').selectOption('segment');
    await page.getByRole('heading', { name: 'canary 3' }).waitFor();
    expect(page.url()).toContain('by=segment');
  });

  it('shows a push on its way through the stages by itself, to the end', async () => {
    await run('Push');
    await page.getByRole('status').filter({ hasText: 'is rolling out' }).waitFor(IN_TIME);
    await page.getByRole('link', { name: 'menu-board: A fresh page' }).click();
    await page.getByRole('heading', { name: 'general' }).waitFor();
    await page.getByText('Done', { exact: true }).waitFor(IN_TIME);
    expect(await page.getByText('Passed', { exact: true }).count()).toBe(3);
  });

  it('shows a bad release that halts, names the pattern, and what became of who took it', async () => {
    await menuTo('Overview');
    await run('Break');
    await page.getByRole('status').filter({ hasText: 'was halted' }).waitFor(IN_TIME);
    await page.getByRole('link', { name: 'door-sign: Break it' }).click();
    await page
      .getByRole('alert')
      .filter({ hasText: /1 of 1 devices that tried it in canary failed/ })
      .waitFor();
    expect(await page.getByText('Not opened').count()).toBe(2);
    await page.getByRole('link', { name: /^pi-\d+$/ }).click();
    await page.getByText(/Went back to door-sign@/).waitFor();
    await page.getByText(/that of \w+ was halted/).waitFor();
    await page.getByText('Log of the run').first().click();
    await page.getByLabel('Log of the run').waitFor();
  });

  it('holds the updates of a device, gives it an order, and asks before it revokes', async () => {
    await menuTo('Devices');
    await page.getByLabel('Name').fill('0024');
    await page.getByRole('link', { name: 'pi-0024' }).waitFor();
    await page.getByRole('link', { name: 'pi-0001' }).waitFor({ state: 'detached' });
    expect(page.url()).toContain('q=0024');
    await page.getByRole('link', { name: 'pi-0024' }).click();
    await page.getByRole('button', { name: 'Hold updates' }).click();
    await page.getByText('Held', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Take updates again' }).click();
    await page.getByText('Healthy', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Redeploy' }).click();
    await page.getByText(/done, by demo/).waitFor(IN_TIME);
    await page.getByRole('button', { name: 'Revoke' }).click();
    const dialog = page.getByRole('alertdialog');
    expect(await dialog.getByRole('button', { name: 'Revoke' }).isDisabled()).toBe(true);
    await dialog.getByRole('button', { name: 'Cancel' }).click();
  });

  it('was shown without a complaint of the browser', () => {
    // Who nobody knows yet is told so by 401.
    expect(complaints.filter((text) => !text.includes('401'))).toEqual([]);
  });
});

describe.each([
  ['a desk, light', { ...DESK, colorScheme: 'light' }],
  ['a phone, dark', { ...PHONE, colorScheme: 'dark' }],
] as const)('every page on %s', (_where, options) => {
  it('has no barrier, does not move sideways, and can be hit with a thumb', async () => {
    const opened = await signedIn(options);
    const found: Record<string, unknown> = {};
    for (const path of [...['/', '/devices', '/rollouts', '/enrol'], ...(await examples(opened.page))]) {
      await opened.page.goto(`${origin}${path}`);
      await opened.page.getByRole('heading', { level: 1 }).waitFor();
      await expect.poll(() => opened.page.getByLabel('Loading').count(), IN_TIME).toBe(0);
      const wrong = [
        ...(await barriers(opened.page)),
        ...((await scrollsSideways(opened.page)) ? ['moves sideways'] : []),
        ...('hasTouch' in options ? await smallTargets(opened.page) : []),
      ];
      if (wrong.length > 0) found[path] = wrong;
    }
    expect(found).toEqual({});
  });
});

/** One device and one rollout. */
async function examples(someone: Page): Promise<readonly string[]> {
  const first = async (path: string) => {
    await someone.goto(`${origin}${path}`);
    const link = someone.locator(`main a[href^="${path}/"]`).first();
    return (await link.getAttribute('href')) ?? path;
  };
  return [await first('/devices'), await first('/rollouts')];
}
