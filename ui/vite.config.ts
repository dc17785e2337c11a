import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';
import { daemon } from './dev/daemon.ts';

export default defineConfig({
  base: './',
  plugins: [svelte(), daemon(process.env.CLAUDERON_HOME)],
  build: {
    target: 'es2022',
    // The content security policy forbids inline scripts and data URLs for anything but images.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
  },
  resolve: process.env.VITEST ? { conditions: ['browser'] } : {},
  test: {
    environment: 'happy-dom',
    include: ['src/**/*.test.ts'],
  },
});
