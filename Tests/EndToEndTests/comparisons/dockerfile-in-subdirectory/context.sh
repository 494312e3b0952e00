mkdir sub; echo f >f; sed 's|/f$|/g|' Dockerfile >sub/Other
