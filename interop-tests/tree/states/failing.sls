# Functions that fail here, with stock as with ours.
windows has these:
  file.shortcut: [{name: /t/shortcut}, {target: /t/here}]
no function:
  cmd.call: [{func: word}]
no function to wait for:
  cmd.wait_call: [{func: word}]
groups of packages:
  pkg.group_installed: [{name: zz}]
patches:
  pkg.patch_installed: [{advisory_ids: [zz]}]
patches to fetch:
  pkg.patch_downloaded: [{advisory_ids: [zz]}]
/srv/no-swap:
  mount.swap: [{config: /srv/fstab}]
