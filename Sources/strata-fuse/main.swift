print("strata-fuse")
