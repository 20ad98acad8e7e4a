/** One after the other, each with the words of the command line (`--quick`): what compression costs digits and lenet. */
await import('../digits/compress.ts');
await import('../lenet/compress.ts');
