/**
 * The import rule of docs/ARCHITECTURE, enforced: packages meet in `protocol` alone, even for types. Rules that let
 * types through (decide/ is pure, observe/ never acts, no cycles) are in .oxlintrc.json: the swc parser, the only one
 * that reads .ts files beside TypeScript 7, cannot tell `import type` from `import`.
 * `test/boundaries.test.ts` plants a violation of each rule of both and fails if it is not caught.
 */
const packages = ['agent', 'cli', 'overlord/api', 'overlord/dashboard', 'simulator'];
const allowed = { simulator: ['agent'] };

const onlyProtocol = packages.map((name) => ({
  name: `${name.replace('/', '-')}-imports-protocol-only`,
  comment: `${name} may import protocol and itself, no other package (architecture: import rule).`,
  severity: 'error',
  from: { path: `^${name}/` },
  to: {
    path: packages
      .filter((other) => other !== name && !(allowed[name] ?? []).includes(other))
      .map((other) => `^${other}/`),
  },
}));

module.exports = {
  forbidden: [
    ...onlyProtocol,
    {
      name: 'protocol-imports-nobody',
      comment: 'The contract depends on none of its users.',
      severity: 'error',
      from: { path: '^protocol/' },
      to: { path: [...packages, 'test'].map((name) => `^${name}/`) },
    },
    {
      name: 'ports-are-built-in-main',
      comment:
        'Real ports are constructed in main.ts alone; everybody else receives them. index.ts hands some on.',
      severity: 'error',
      from: { path: '^agent/src/', pathNot: ['^agent/src/(main|index)\\.ts$', '^agent/src/ports/'] },
      to: { path: '^agent/src/ports/real/', dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    // Its swc takes .tsx for .ts and stumbles over the markup: for those the rule is in .oxlintrc.json.
    exclude: { path: '(^|/)(dist|node_modules)/|\\.tsx$' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['source', 'import', 'node', 'default'],
      extensions: ['.ts', '.js', '.mjs'],
    },
  },
};
