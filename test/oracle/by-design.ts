/** A difference between our bridge and another one that is meant to be, and how the scripts keep clear of it. */
export interface ByDesign {
  readonly of: 'Linux' | 'Open vSwitch';
  readonly what: string;
  readonly why: string;
  readonly scripts: string;
}

export const BY_DESIGN: readonly ByDesign[] = [
  {
    of: 'Linux',
    what: 'one filtering database for all VIDs',
    why: 'this kernel has no bridge VLAN filtering; we learn by (VID, address) (IEEE 802.1Q-2022, 8.8.8)',
    scripts: 'each station has one VID, and talks to stations of the same VID; Open vSwitch is the oracle for VLANs',
  },
  {
    of: 'Linux',
    what: 'relays 01-80-C2-00-00-00 while its spanning tree is off',
    why: 'a bridge does not relay it (IEEE 802.1Q-2022, table 8-1); `--forward-reserved 0` does so',
    scripts: 'no frames to it, but in the scenario about group_fwd_mask',
  },
  {
    of: 'Linux',
    what: 'does not learn from frames to 01-80-C2-00-00-01 (PAUSE)',
    why: 'we learn from frames to every reserved address; hardware does not pass PAUSE frames to a bridge at all',
    scripts: 'no frames to it',
  },
  {
    of: 'Open vSwitch',
    what: 'keeps the stations of a port whose link goes down',
    why: 'we forget them, as Linux does: they may come back anywhere. Those of a tunnel that is lost for a moment stay',
    scripts:
      'the link of a script is that of a tunnel; in the kernel it is the state "disabled" of the port, which keeps them',
  },
  {
    of: 'Linux',
    what: 'relays frames with the VID 4095',
    why: 'the VID is reserved (IEEE 802.1Q-2022, table 9-2), and we discard it',
    scripts: 'no such VID',
  },
  {
    of: 'Linux',
    what: 'has a limit of learned addresses of the bridge, and forwards frames from further ones',
    why: 'our limit is of a port, which discards them or shuts, as the port security of switches does',
    scripts: 'the scenario has all stations at one port, and does not compare where frames from further ones go',
  },
  {
    of: 'Linux',
    what: 'moves static entries that are not sticky',
    why: 'a static filtering entry is changed by management only (IEEE 802.1Q-2022, 8.8.1)',
    scripts: 'static entries are sticky as well in the kernel',
  },
  {
    of: 'Linux',
    what: 'learns from frames to reserved addresses at a locked port, unless it has no_linklocal_learn',
    why: 'a station could unlock the port by a single LLDPDU',
    scripts: 'no frames to reserved addresses while ports are locked',
  },
  {
    of: 'Linux',
    what: 'floods leaves of IGMP and MLD, and reports of IGMPv3 and MLDv2',
    why: 'they are for routers: RFC 4541, 2.1.1 (1), as Linux does with older reports',
    scripts: 'where leaves and reports of IGMPv3 and MLDv2 go is not compared',
  },
  {
    of: 'Linux',
    what: 'keeps the mode INCLUDE of a port when a host of an older version reports there',
    why: 'that host wants all sources: RFC 3376, 7.3.2',
    scripts: 'the hosts behind a port have one version',
  },
  {
    of: 'Linux',
    what: 'ends a membership of IGMPv3 and MLDv2 fast only when no host is left, and none in single sources',
    why: 'fast leave is for ports with one host: what it says is all that is wanted',
    scripts: 'no fast leave at ports with such a host',
  },
  {
    of: 'Linux',
    what: 'sends no groups to a port that begins to forward, until its hosts report',
    why: 'the hosts behind a tunnel that is dialled anew do not know that they must report',
    scripts: 'our bridge has `newPortIntervalMs` 0',
  },
  {
    of: 'Linux',
    what: 'discards a report of a group that is beyond the limit of its port',
    why: 'a router may still forward the group to the other hosts of the network',
    scripts: 'where such a report goes is not compared',
  },
  {
    of: 'Linux',
    what: 'forgets the router that it has heard at a port whose mcast_router goes from 2 to 1',
    why: 'the router is still there, and is known until its time is over',
    scripts: 'mcast_router is not set back to 1',
  },
  {
    of: 'Open vSwitch',
    what: 'does not learn from frames to reserved addresses',
    why: 'the learning process comes before the filtering of frames (IEEE 802.1Q-2022, 8.6 and 8.7); Linux learns, too',
    scripts: 'no frames to them',
  },
  {
    of: 'Open vSwitch',
    what: 'forwards frames whose source is a group address',
    why: 'no station has such an address (IEEE 802.3-2022, 3.2.3); Linux discards them, too',
    scripts: 'no such frames',
  },
  {
    of: 'Open vSwitch',
    what: 'sends no frame with two C-TAGs by an access port',
    why: 'egress removes the outer tag and does not look behind it (IEEE 802.1Q-2022, 6.9.2)',
    scripts: 'two C-TAGs only between transparent ports',
  },
  {
    of: 'Open vSwitch',
    what: 'sends a copy with the tag of its VLAN, or as the VLANs of the port for copies have it',
    why: 'a copy has the tags that the frame had on the line, as with `encapsulation replicate` of a SPAN session: what a probe sees is what the host has sent or gets',
    scripts:
      'the port for copies is transparent in Open vSwitch; our copy must be what a mirrored port has received or sent, and is then put into the VLAN of this port (mirror-judge.ts)',
  },
  {
    of: 'Open vSwitch',
    what: 'copies no received frame that is in no VLAN of its port, that comes by a port for copies, or by one that is shut',
    why: 'a received frame is copied before any rule, also if it is then discarded: these are what an operator looks for',
    scripts: 'copies of such frames are not compared; that nothing else comes out is',
  },
  {
    of: 'Open vSwitch',
    what: 'copies the copies that a port sends which is mirrored itself',
    why: 'copies are not frames of the bridge; mirrors would make loops',
    scripts: 'what a second port for copies sends is not compared',
  },
  {
    of: 'Open vSwitch',
    what: 'lets a port have the copies of its own frames, and is then reserved',
    why: 'a port that is set to be its own probe would lose its host; the mirror is not made',
    scripts: 'no such mirrors',
  },
  {
    of: 'Open vSwitch',
    what: 'sends no copies of frames of a protected port by another one',
    why: 'isolation keeps hosts from each other, and the port for copies has no host',
    scripts: 'the port for copies is not protected in Open vSwitch',
  },
  {
    of: 'Open vSwitch',
    what: 'forgets all stations when a mirror changes',
    why: 'only the stations of the port for copies are of no use; others need no flood',
    scripts: 'our bridge forgets them as well',
  },
];
