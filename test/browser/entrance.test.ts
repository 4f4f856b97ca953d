import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { barriers, DESK, launch, openPage, PHONE, scrollsSideways, smallTargets } from './browser.ts';
import { FleetProgram, freePort } from './fleet-program.ts';

let browser: Browser;
let fleet: FleetProgram;
let data: string;
let origin: string;
let link: string;

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'fleet-browser-'));
  await chmod(data, 0o711);
  const local = await freePort();
  fleet = new FleetProgram([
    ...['up', '--data', data, '--host', 'fleet.example'],
    ...['--port', String(await freePort()), '--local-port', String(local)],
  ]);
  origin = `http://localhost:${local}`;
  [, link = ''] = await fleet.says(/First admin:\s+(\S+)/);
  browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  await fleet?.stop();
  await rm(data, { recursive: true, force: true });
});

const NAME = 'ada';
const PASSWORD = 'correct horse battery';

async function signIn(page: Page, password = PASSWORD): Promise<void> {
  await page.getByLabel('Name').fill(NAME);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

describe('the first minutes with an overlord', () => {
  it('lets the first admin in by the printed link, once', async () => {
    const context = await browser.newContext(DESK);
    const { page, complaints } = await openPage(context);
    await page.goto(link.slice(0, link.indexOf('#')));
    await page.getByText('This link is incomplete').waitFor();
    await page.goto(link);
    await page.reload();
    await page.getByLabel('Name').fill(NAME);
    await page.getByLabel('Password').fill('short');
    await page.getByRole('button', { name: 'Create the admin' }).click();
    expect(await page.locator('input:invalid').getAttribute('type')).toBe('password');
    await page.getByLabel('Password').fill(PASSWORD);
    expect(await barriers(page)).toEqual([]);
    await page.getByRole('button', { name: 'Create the admin' }).click();
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    // The token must not stay in the history of the browser.
    expect(page.url()).toBe(`${origin}/`);
    // Who nobody knows yet is told so by 401: that is all the browser may complain about.
    expect(complaints.filter((text) => !text.includes('401'))).toEqual([]);
    await context.close();

    const late = await openPage(await browser.newContext(DESK));
    await late.page.goto(link);
    await late.page.getByLabel('Name').fill('eve');
    await late.page.getByLabel('Password').fill(PASSWORD);
    await late.page.getByRole('button', { name: 'Create the admin' }).click();
    await late.page.getByRole('alert').waitFor();
    expect(late.page.url()).toContain('/first-admin');
  });

  it('leads through the sign-in to where one wanted to go, and refuses a wrong password', async () => {
    const { page } = await openPage(await browser.newContext(DESK));
    await page.goto(`${origin}/enrol`);
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await signIn(page, 'wrong horse battery');
    await page.getByRole('alert').waitFor();
    await signIn(page);
    await page.getByRole('heading', { name: 'Enrol', exact: true }).waitFor();
    expect(page.url()).toBe(`${origin}/enrol`);
    await page.getByRole('button', { name: 'Account' }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await page.goto(`${origin}/devices`);
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  });

  it('does not lead to somebody else’s site after signing in', async () => {
    const { page } = await openPage(await browser.newContext(DESK));
    await page.goto(`${origin}/sign-in?to=//evil.example/`);
    await signIn(page);
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    expect(new URL(page.url()).origin).toBe(origin);
  });

  it.each([
    ['a desk', DESK],
    ['a phone', PHONE],
  ])('makes the line for a Pi on %s, shows it once, and takes the token back', async (_where, size) => {
    const { page, complaints } = await openPage(await browser.newContext({ ...size, colorScheme: 'dark' }));
    await page.goto(`${origin}/sign-in?to=/enrol`);
    await signIn(page);
    await page.getByLabel('Site').fill('Old Town!');
    await page.getByRole('button', { name: 'Make the line' }).click();
    await page.getByRole('alert').waitFor();
    await page.getByLabel('Site').fill('old-town');
    await page.getByRole('button', { name: 'Make the line' }).click();
    const line = await page.getByLabel('The line').textContent();
    expect(line).toMatch(
      /^export FLEET_TOKEN=mfe_\S+; curl -fsSk --pinnedpubkey 'sha256\/\/\S+' https:\/\/fleet\.example:/,
    );
    await page.getByText('Nobody has come yet').waitFor();
    expect(await barriers(page)).toEqual([]);
    expect(await scrollsSideways(page)).toBe(false);
    expect(size === PHONE ? await smallTargets(page) : []).toEqual([]);
    await page.reload();
    expect(await page.getByText('mfe_').count()).toBe(0);
    await page.getByRole('button', { name: 'Revoke' }).click();
    await page.getByText('None. Nobody can join now.').waitFor();
    expect(complaints.filter((text) => !/\b40[01]\b/.test(text))).toEqual([]);
  });

  it('says so when it loses the overlord, and keeps what it shows', async () => {
    const { page } = await openPage(await browser.newContext(DESK));
    await page.goto(`${origin}/sign-in`);
    await signIn(page);
    await page.getByRole('status').filter({ hasText: 'Live' }).waitFor();
    await fleet.stop();
    await page
      .getByRole('status')
      .filter({ hasText: /As of|No connection/ })
      .waitFor();
    expect(await page.getByRole('heading', { name: 'Overview' }).isVisible()).toBe(true);
  });
});
