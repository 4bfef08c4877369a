/** The sizes of the matrix in px, as in matrix.css. */
export const CELL_PX = 44;
export const HEAD_PX = 48;
/** the column with the ports */
export const SIDE_PX = 240;
/** Cells that are made beyond the visible ones, in each direction. */
export const MORE_CELLS = 4;

/** A column: a VLAN, and how many stations are known in it. */
export interface VlanColumn {
  readonly vid: number;
  readonly stations: number;
}
