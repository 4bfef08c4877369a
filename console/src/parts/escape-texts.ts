import { options, type VNode } from 'preact';
import { escapeNode } from './shown-text.ts';

/** In one place for all views: no view has to think of it, and none can forget it. */
const previous = options.vnode;
options.vnode = (node: VNode): void => {
  escapeNode(node as { type: unknown; props: unknown });
  previous?.(node);
};
