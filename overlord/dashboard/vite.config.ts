import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { compress } from './compress.ts';

/** `npm run dev`: the pages from here, the API from an overlord, real or of test/. */
const OVERLORD = process.env['OVERLORD_URL'] ?? 'http://127.0.0.1:8787';

export default defineConfig({
  plugins: [react(), tailwindcss(), compress()],
  // Packages are built from their sources, so that a stale dist/ of protocol cannot reach a browser.
  resolve: { conditions: ['source', 'module', 'browser', 'development|production'] },
  build: {
    target: 'es2022',
    // The policy of the overlord is `'self'`: nothing inline, no data: URLs.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { proxy: { '/api': { target: OVERLORD, secure: false } } },
});
