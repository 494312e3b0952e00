mkdir -p t/dir t/link; echo new >t/file; echo in >t/dir/in; echo l >t/link/l; tar -C t -cf a.tar dir file link; rm -r t
