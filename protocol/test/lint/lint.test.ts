import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lintRole } from '../../src/lint/lint.ts';
import { readFolder } from './read-folder.ts';

const TEMPLATE = join(import.meta.dirname, '../../../templates/role');

describe('the lint', () => {
  it('has nothing to say about the role to copy', () => {
    expect(lintRole(readFolder(TEMPLATE, 'hello'))).toEqual([]);
  });
});
