mkdir -p d/sub; echo 1 >d/one; ln d/one d/same; ln d/one d/sub/third; echo 2 >d/alone
