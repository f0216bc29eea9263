"""Readers of the public human-parsing data sets: VIP, MHPv2, CIHP, LIP and ATR.

One module per set (`vip`, `mhp`, `cihp`, `lip`, `atr`) says where its files are; the rest is
shared: `files` (nothing leaves the data set's folder), `pictures` (photos and index pictures),
`labels` (tables to the 22 labels), `annotated` (a picture and its people), `stills` (sets of single
pictures), `parsing_rcnn` (folders renamed for Parsing-R-CNN), `tracks` (the same person across a
video). Nothing here downloads anything.
"""
