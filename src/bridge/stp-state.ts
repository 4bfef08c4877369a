/** The state of a port in the active topology (IEEE 802.1Q-2022, 8.4). */
export type StpState = 'discarding' | 'learning' | 'forwarding';
