extension RegressionTests {
    static let sequences: [Sequence] = [
        Sequence(
            "a directory that was renamed in a layer is renamed again",
            """
            layer
              mkdir a 755
              create a/f excl 644 10
            layer by kernel
              rename a b plain
            run
              rename b c plain
              remount
              list c
            """),
        Sequence(
            "a nameless file gets the default ACL of its directory",
            """
            layer
              mkdir p4 755
              mkdir p4/a 2777
            run
              setacl p4/a default user
              tmpfile p4/a p4/a/j
            """),
        Sequence(
            "a nameless file gets an ACL that a layer handed down",
            """
            layer
              mkdir b 755
              setacl b default narrow
              mkdir b/f 755
            run
              tmpfile b/f b/f/c
            """),
        Sequence(
            "a write by root takes capabilities away and leaves set-id bits",
            """
            layer
              mkdir d 755
            run
              create d/f excl 644 16
              chmod d/f 6755
              setxattr d/f security.capability 34 create
              write d/f 4096 1114
              open 0 d/f rw
              setxattr d/f security.capability 35 any
              fwrite 0 76 1
            """),
        Sequence(
            "a write by a stranger takes the set-group-id bit away, group execution or not",
            """
            layer
              create f excl 644 10
              chmod f 2646
            run
              @1 write f 0 1
              create g excl 644 10
              chmod g 2646
              @1 open 0 g w
              @1 fwrite 0 4 1
            """),
        Sequence(
            "a directory that came from elsewhere into an opaque one leads on to the data of its files",
            """
            layer
              mkdir f 755
              mkdir f/f 755
              create f/f/h excl 644 20000
              mkdir c 755
              mkdir c/f 755
            layer by kernel
              rmdir c/f
              mkdir c/f 755
              rename f/f c/f/f plain
            run
              chmod c/f/f/h 700
              rename c/f/f/h M plain
              remount
              read M
              list c/f/f
            """),
        Sequence(
            "a size that stays as it was changes the time as the layer's file system has it",
            """
            layer
              create f excl 644 10
              create g excl 644 8192
            run
              utimens f 1100000121
              truncate f 10
              truncate g 8192
              utimens g 1100000121
              truncate g 8192
              open 0 f rw
              utimens f 1100000122
              ftruncate 0 10
            """),
        Sequence(
            "a truncation by a stranger takes the set-group-id bit away, group execution or not",
            """
            layer
              create f excl 644 10
              chmod f 2646
            run
              @1 truncate f 3
              create g excl 644 10
              chmod g 2640
              open 0 g rw
              @2 ftruncate 0 14
              create h excl 644 10
              chmod h 2646
              @1 open 1 h w,trunc
            """),
        Sequence(
            "a stranger's write takes set-id bits from a file without a name",
            """
            layer
              create f excl 644 10
              chmod f 6755
              create e excl 644 10
              chmod e 6755
            run
              open 0 f rw
              unlink f
              @1 fwrite 0 4 1
              open 1 e r
              unlink e
              create g excl 644 10
              chmod g 6755
              open 2 g rw
              unlink g
              @2 fwrite 2 0 5
              create h excl 644 10
              chmod h 2640
              open 3 h rw
              unlink h
              @2 ftruncate 3 14
              create i excl 644 10
              chmod i 2640
              open 4 i rw
              unlink i
              fchown 4 2 1
            """),
        Sequence(
            "an open file loses the name it was opened by, and then one that nobody had asked for",
            """
            layer
              mkdir p0 755
            run
              mkdir p0/c 755
              mknod p0/h char 1777
              create p0/c/h w 777 9
              link p0/c/h p0/b
              drop
              open 3 p0/b rw 0
              rename p0/h p0/b plain
              fallocateslot 3 punch 4957 70000
              unlink p0/c/h
              fgetxattr 3 trusted.b
            """),
    ]
}
