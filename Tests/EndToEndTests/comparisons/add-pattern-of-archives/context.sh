for n in 1 2; do mkdir t; echo $n >t/$n; echo $n >t/both; tar -C t -cf $n.tar .; rm -r t; done
