import { FleetError } from '@metrica-fleet/protocol';
import { describe, expect, it } from 'vitest';
import { EXIT } from '../src/exit.ts';
import { Cancelled, failureOf } from '../src/failure.ts';
import { fleet } from './shell.ts';

describe('a command line with a mistake', () => {
  it('ends with 64 and guesses what was meant', async () => {
    const { exit, stdout, stderr } = await fleet(['tset']);
    expect(exit).toBe(EXIT.usage);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/unknown command 'tset'[^]*Did you mean test\?/);
  });

  it.each([
    [['test', 'moon'], /The parts are static, unit, postgresql, browser, demo, virtual-pi/],
    [['test', '--fast'], /unknown option '--fast'/],
    [['bench', 'moon'], /there is no bench «moon»/],
    [['release'], /Usage: fleet release/],
    [['release', 'sign'], /required option '--role <role>'/],
    [[], /Usage: fleet/],
  ])('%j says so on stderr', async (argv, says) => {
    const { exit, stdout, stderr } = await fleet(argv);
    expect({ exit, stdout }).toEqual({ exit: EXIT.usage, stdout: '' });
    expect(stderr).toMatch(says);
  });
});

describe('what was asked for', () => {
  it.each([
    [['--version'], /^\d+\.\d+\.\d+\n$/],
    [['--help'], /^Usage: fleet/],
    [['test', '--list-packages', 'virtual-pi'], /^docker\.io$/m],
  ])('%j is data on stdout', async (argv, says) => {
    const { exit, stdout, stderr } = await fleet(argv);
    expect({ exit, stderr }).toEqual({ exit: EXIT.done, stderr: '' });
    expect(stdout).toMatch(says);
  });
});

describe('what was thrown', () => {
  it('becomes what, where and what to try', () => {
    const thrown = new FleetError({
      code: 'role-not-found',
      what: 'No such role',
      where: 'roles/',
      remedy: 'Make it.',
    });
    expect(failureOf(thrown)).toEqual({
      message: 'No such role\n  where: roles/\n  try:   Make it.',
      exit: EXIT.notFound,
    });
  });

  it('is our bug when nobody foresaw it, with its trace', () => {
    const { message, exit } = failureOf(new TypeError('x is not y'));
    expect(exit).toBe(EXIT.bug);
    expect(message).toMatch(/our bug[^]*TypeError: x is not y\n +at /);
  });

  it('is no failure of ours when a person stopped it', () => {
    expect(failureOf(new Cancelled()).exit).toBe(EXIT.cancelled);
  });
});
