echo 1 >'odd[1].txt'; echo 2 >'odd*.txt'; echo 3 >oddx.txt; echo 4 >'sp ace one'; echo 5 >'q?'; echo 6 >qx; echo 7 >'unié-x'
