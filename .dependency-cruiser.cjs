/**
 * The import rule of ARCHITECTURE.md, enforced: packages meet in `protocol` alone, and what decides is pure.
 * `test/boundaries.test.ts` plants a violation of each rule and fails if it is not caught.
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
      name: 'decide-is-pure',
      comment: 'decide/ imports types, protocol and siblings: no I/O, no clock, no randomness.',
      severity: 'error',
      from: { path: '^agent/src/decide/' },
      to: { pathNot: ['^agent/src/decide/', '^protocol/src/'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'observe-never-acts',
      comment: 'observe/ reads the world and never writes.',
      severity: 'error',
      from: { path: '^agent/src/observe/' },
      to: { path: '^agent/src/(act|report)/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'ports-are-built-in-main',
      comment: 'Real ports are constructed in main.ts alone; everybody else receives them.',
      severity: 'error',
      from: { path: '^agent/src/', pathNot: ['^agent/src/main\\.ts$', '^agent/src/ports/'] },
      to: { path: '^agent/src/ports/real/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
  ],
  options: {
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|node_modules)/' },
    enhancedResolveOptions: { conditionNames: ['source', 'import', 'default'], extensions: ['.ts', '.js'] },
  },
};
