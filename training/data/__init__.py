"""What is learnt from: recordings and spectrograms, their splits, noises, rooms, augmentation."""
