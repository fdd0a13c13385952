import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

// `npm run dev` serves the pages with what is changed at once, and asks a running `anser dev` for all else.
const server = process.env.ANSER_URL ?? 'http://127.0.0.1:2080';
const proxy = Object.fromEntries(['/jmap', '/.well-known', '/auth', '/mail/letter', '/mail/pdf', '/assets'].map((path) => [path, { target: server, changeOrigin: false }]));

// One entry at a time, so that each is one script and one style sheet: `build.js` names it. That of the webmail is followed by a second script.
const entry = process.env.ANSER_ENTRY ?? 'webmail';

export default defineConfig({
  // PDF.js asks where it lies only where it runs in Node.
  define: { 'import.meta.url': '""' },
  plugins: [svelte()],
  base: '/',
  appType: 'mpa',
  server: { port: 5173, proxy },
  build: {
    target: 'es2022',
    emptyOutDir: false,
    modulePreload: false,
    cssCodeSplit: false,
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 2_000,
    rollupOptions: {
      input: `src/${entry}/main.ts`,
      output: {
        format: entry === 'webmail' ? 'es' : 'iife',
        entryFileNames: `${entry}.js`,
        chunkFileNames: '[name].js',
        assetFileNames: `${entry}[extname]`,
      },
    },
  },
  test: { environment: 'happy-dom', include: ['test/**/*.test.ts'], reporters: ['default'] },
} as never);
