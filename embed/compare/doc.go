// Package compare trains techniques beside each other and shows what comes of them: an
// [Overview] has them on datasets, in dimensions and with seeds; [PaperFigures] are the
// figures of the paper; [OpenSet] and [FewShot] train them on some of the classes, and ask
// what they do with the others. All go on where they were stopped, and write figures, tables
// and a manifest into a folder.
package compare
