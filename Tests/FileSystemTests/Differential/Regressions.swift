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
            """)
    ]
}
