import Glibc
import Linux

/// Says why there is no mount, and leaves.
func fail(_ message: String) -> Never {
    let line = Array("strata-fuse: \(VisibleText.line(message))\n".utf8)
    _ = write(STDERR_FILENO, line, line.count)
    exit(1)
}

let usage = """
    usage: strata-fuse [SOURCE] MOUNTPOINT -o lowerdir=DIR[:DIR…][,upperdir=DIR,workdir=DIR][,OPTION…]

    Mounts a stack of directories as one. The lower directories, topmost first, are never changed; changes go to
    the upper directory, and without one the mount is read-only. The work directory has to be empty, and on the
    upper directory's file system.

    Directories:
      lowerdir=A:B:C        any number; write \\: for a colon and \\, for a comma in a name
      upperdir=DIR          takes all changes
      workdir=DIR           for what is unfinished

    Options:
      ro, rw                read-only or not
      dev, suid, exec       device nodes, set-id bits and programs work (the default for root), or with "no" before
      noatime, nodiratime   reading leaves access times alone, or those of directories
      allow_other           for everybody, not only for the mounter (the default for root), or with "no" before
      fsname=NAME           what the mount is shown to come from
      userxattr             keep marks in user.overlay attributes, as whoever is not root has to
      foreign_marks=off     .wh. names and marks of other overlays are files and attributes like any other
      volatile              a sync does nothing: for directories that do not outlive a crash
      noacl, noxattrs       no access control lists, no extended attributes
      uidmapping=LAYER:SHOWN:COUNT[:…], gidmapping=…
                            other owners than the layers have; what is in no range is nobody's
      squash_to_root, squash_to_uid=ID, squash_to_gid=ID
                            everything belongs to one user or group
      nfs_export=on         file handles can be opened, so that NFS can export the mount
      static_nlink          every directory has one link
      timeout=SECONDS       for how long the kernel may keep names and attributes (default: for ever)
      passthrough=off       the server itself reads and writes every file
      shared_dirs=A:B…      top-level directories whose large lower files are read by the kernel itself, so that
                            all mounts share their pages (default: bin:sbin:lib*:usr:opt:boot:nix:gnu; / for all)
      writeback=1           gather small writes, where the kernel may not write files by itself
    The other options of overlay and fuse-overlayfs are accepted where they say what happens anyway.

      -f                    stay in the foreground
      -d, --debug           stay there, and print each request and its reply
      -h, --help            this text
      -V, --version         the version

    example:
      strata-fuse merged -o lowerdir=b:a,upperdir=changes,workdir=work && ls merged && umount merged
    """
