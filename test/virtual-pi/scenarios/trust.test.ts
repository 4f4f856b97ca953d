import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FleetRepo } from '../fleet-repo.ts';
import type { Device } from './device.ts';
import { templateRole } from './roles.ts';
import { Signer } from './signing.ts';
import { newPi, newRepo } from './stage.ts';

const PAGE = 'roles/hello/site/index.html';

describe('a Pi that trusts signers, not servers', () => {
  let device: Device;
  let repo: FleetRepo;
  let alice: Signer;
  let mallory: Signer;
  let good: string;
  beforeAll(async () => {
    [device, repo, alice, mallory] = await Promise.all([
      newPi('trixie', 'trust'),
      newRepo(),
      Signer.create('alice'),
      Signer.create('mallory'),
    ]);
    await device.pi.write('/etc/role-agent/allowed_signers', alice.allowed);
    await device.follows(repo.url, 'hello', 'allowed_signers: /etc/role-agent/allowed_signers\n');
  });
  afterAll(async () => {
    await device.pi.destroy();
    await repo.close();
    alice.forget();
    mallory.forget();
  });

  it('takes a release that one of them has signed', async () => {
    good = await repo.push('Signed', templateRole());
    await alice.sign(repo, 'hello');
    await device.wake();
    await device.settlesOn(good);
  });

  it('waits for the signature of a release that has none yet', async () => {
    const next = await repo.push('Signed later', { [PAGE]: '<title>later</title>' });
    await device.looksAgain();
    const status = await device.shows(
      'the wait',
      ({ problems }) => problems[0]?.code === 'statement-missing',
    );
    expect(status.running?.commit).toBe(good);
    await alice.sign(repo, 'hello');
    await device.pi.ok('role-agent run');
    await device.settlesOn(next);
    good = next;
  });

  it('refuses a release that somebody else has signed, and does not try it again', async () => {
    const forged = await repo.push('Forged', { [PAGE]: '<title>forged</title>' });
    await mallory.sign(repo, 'hello');
    await device.wake();
    const status = await device.refuses(forged);
    expect(status.problems[0]?.code).toBe('statement-invalid');
    expect(status.running?.commit).toBe(good);
    expect(await device.page('/site/')).toBe('<title>later</title>');
    await device.looksAgain();
    expect(await device.attempts(forged)).toBe(1);
  });

  it('takes a signed release from a USB stick, with no network at all', async () => {
    const carried = await repo.push('Carried by hand', { [PAGE]: '<title>carried</title>' });
    const stick = await alice.exportBundle(repo, 'hello');
    await device.pi.ok('mkdir -p /media/usb && tar -C /media/usb -xf -', { input: stick });
    await device.pi.write(
      '/etc/role-agent/config.yaml',
      'device: pi\nrole: hello\nallowed_signers: /etc/role-agent/allowed_signers\nsources:\n  - directory: {path: /media/usb}\n',
    );
    await device.pi.cutNetwork();
    await device.wake();
    await device.settlesOn(carried);
    expect(await device.page('/site/')).toBe('<title>carried</title>');
  });

  it('refuses a stick whose bundle was changed on the way', async () => {
    const next = await repo.push('Tampered', { [PAGE]: '<title>tampered</title>' });
    const stick = await alice.exportBundle(repo, 'hello');
    await device.pi.ok('rm -rf /media/usb/* && tar -C /media/usb -xf -', { input: stick });
    await device.pi.ok('cd /media/usb/hello && printf x | dd of=bundle.tar.gz bs=1 seek=400 conv=notrunc');
    await device.wake();
    const status = await device.refuses(next);
    expect(status.problems[0]?.code).toMatch(/^(bundle-invalid|manifest-mismatch)$/);
    expect(await device.page('/site/')).toBe('<title>carried</title>');
  });
});
