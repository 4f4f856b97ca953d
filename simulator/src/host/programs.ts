import { FleetError } from '@metrica-fleet/protocol';
import type { Command, Disk, Exec, Finished } from '@metrica-fleet/agent';
import { CARD, type Board } from './board.ts';
import { isSignedBy, principalsFor } from './ssh-signature.ts';

/** What programs of the host do to it. */
export interface System {
  readonly board: Board;
  readonly disk: Disk;
  /** The agent's own log, oldest line first. */
  readonly journal: () => readonly string[];
  readonly startPull: () => void;
  readonly isPulling: () => boolean;
  readonly reboot: () => void;
}

type Program = (command: Command, system: System) => Promise<Finished> | Finished;

/** Every program that the agent runs besides Docker, by what the agent sees of it. What is not here is not installed. */
const PROGRAMS: Readonly<Record<string, Program>> = {
  df: () => said(`1B-blocks\n${CARD}\n`),
  dpkg: (_command, { board }) => said(`${board.arch}\n`),
  journalctl: (_command, { journal }) => said(journal().join('\n')),
  'ssh-keygen': sshKeygen,
  systemctl,
  // `validate.sh` is a script of the role: it is not run on the machine of whoever simulates, and counts as content.
  'systemd-run': () => said(''),
};

/** The programs of a simulated host. */
export function hostPrograms(system: System): Exec {
  return {
    async run(command) {
      const program = PROGRAMS[command.argv[0]];
      if (program === undefined) {
        throw new FleetError({
          code: 'command-failed',
          what: `The program ${command.argv[0]} is not installed`,
          remedy: 'This host is simulated; simulator/README.md says what it has.',
        });
      }
      return await program(command, system);
    },
  };
}

async function sshKeygen({ argv, input = '' }: Command, { disk }: System): Promise<Finished> {
  const option = (name: string): string => argv[argv.indexOf(name) + 1] ?? '';
  const signers = (await disk.readText(option('-f'))) ?? '';
  const signature = (await disk.readText(option('-s'))) ?? '';
  switch (option('-Y')) {
    case 'find-principals': {
      const principals = principalsFor(signers, signature);
      return principals.length === 0 ? failed('No principal matched.') : said(`${principals.join('\n')}\n`);
    }
    case 'verify': {
      const claim = { signers, signature, principal: option('-I'), namespace: option('-n'), message: input };
      return isSignedBy(claim) ? said('Good signature\n') : failed('Could not verify signature.');
    }
    default:
      return failed(`ssh-keygen -Y ${option('-Y')} is not simulated`);
  }
}

function systemctl({ argv }: Command, system: System): Finished {
  if (argv.includes('reboot')) {
    system.reboot();
    return said('');
  }
  if (argv.includes('restart')) {
    system.startPull();
    return said('');
  }
  return said(system.isPulling() ? 'active\n' : 'inactive\n');
}

function said(text: string): Finished {
  return { code: 0, stdout: Buffer.from(text), stderr: '' };
}

function failed(why: string): Finished {
  return { code: 1, stdout: Buffer.alloc(0), stderr: `${why}\n` };
}
