// Package datasets gets labelled images from files, from the network or from the
// program itself.
//
// One type, [Dataset], serves all sources. Its images are bytes in the layout
// [n, height, width, channels], its labels run from 0 to classes-1. It holds them in
// memory, but for those of a large folder, which it reads when they are needed.
//
// # Named datasets
//
// [Load] returns the training and the test set of
//
//   - mnist: 60,000 + 10,000 handwritten digits, 28x28 gray
//     (LeCun, Cortes, Burges; CC BY-SA 3.0);
//   - fashion-mnist: 60,000 + 10,000 pieces of clothing, 28x28 gray
//     (Xiao, Rasul, Vollgraf 2017; MIT);
//   - cifar-10: 50,000 + 10,000 photographs, 32x32 RGB (Krizhevsky 2009);
//   - cifar-100 and cifar-100-coarse: as many of other things, in 100 classes and
//     the 20 groups of them;
//   - mnist-sample and fashion-mnist-sample: 5,000 + 1,000 images of the
//     training and test sets above, the same number of each class. They are
//     embedded in the program and need neither files nor a network.
//
// Load takes a full dataset from the folder that the environment variable
// EMBEDSPACE_DATA names, else from the user's cache (embedspace in
// [os.UserCacheDir]), else from its home or a mirror on the network, which fills
// the cache. The data folder has the layout
//
//	mnist/train-images-idx3-ubyte[.gz]  train-labels-idx1-ubyte[.gz]
//	      t10k-images-idx3-ubyte[.gz]   t10k-labels-idx1-ubyte[.gz]
//	fashion-mnist/                      (the same four names)
//	cifar-10-batches-bin/data_batch_1.bin ... data_batch_5.bin  test_batch.bin
//	cifar-10-binary.tar.gz              (in place of that folder)
//	cifar-100-binary/train.bin  test.bin
//	cifar-100-binary.tar.gz             (in place of that folder)
//
// and the cache the same, with the packed files only. Files are also found where
// other programs put them: in MNIST/raw and FashionMNIST/raw, right in the data folder
// (but those of CIFAR-100), and with names as train-images.idx3-ubyte. Load says so.
//
// Load never replaces one dataset by another: if mnist can't be found, that is
// an error, which names mnist-sample.
//
// # Own images
//
// A folder with one sub-folder of images per class (PNG, JPEG, GIF, BMP, TIFF,
// WebP) is a dataset whose name is folder: and its path, as in folder:photos/pets.
// Load reads it and splits each class into training and test images, 80 and 20 % by
// default, or takes the parts that the folder has, train and test; see there for the
// options of such a name. In a program, [LoadFolder] and [Dataset.HoldOut] do the two
// steps. Four IDX files, such as those of EMNIST, KMNIST and QMNIST, are a dataset
// named idx: and their path. A Dataset can also be made by hand; see
// [Dataset.Validate].
//
// # Parts
//
// [Dataset.Subset], [Dataset.Split], [Dataset.HoldOut] and [Dataset.Select] make
// smaller datasets. The first three are stratified, and the same seed gives the
// same parts. HoldOut is the one for training and test images: it has every
// class in both. [OpenSetSplit] has the classes that open-set recognition knows, and
// [OpenSetImages] their images.
//
// # Files
//
// [DecodeIDXImages], [DecodeIDXLabels] and [DecodeCIFAR10] read the published
// file formats. A file of another form gives a [*FormatError] with the file, the
// offset, the field, what the file has and what is allowed.
package datasets
