// The headers of libfuse3 are read by CFuse alone; this module only carries the flags of pkg-config.
