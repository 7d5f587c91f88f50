declare module '*.vue' {
  import type { Component } from 'vue';

  const component: Component;
  // biome-ignore lint/style/noDefaultExport: that of a component is the component
  export default component;
}

declare module '*.css';
