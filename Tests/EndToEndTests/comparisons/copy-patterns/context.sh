for f in a.txt b.txt long.txt .hidden; do echo $f >$f; done; mkdir d1 d2; for d in d1 d2; do echo $d >$d/in-$d; echo $d >$d/$d.txt; done; echo x >d1/in; echo y >d2/sub; 
