package embed

import (
	"github.com/gomlx/compute/distributed"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/core/tensors/dtensor"
	"github.com/gomlx/gomlx/ml/model"
)

// A mesh is a row of devices that compute the steps of a training together: each gets an
// equal part of the batch, and a copy of all else. XLA's partitioner (Shardy, after GSPMD,
// arXiv 2105.04663) splits the graph among them and lets them exchange what it needs, so
// that it still means the whole batch: losses of pairs and triplets see all of them,
// centers follow all images, and gradients are those of the batch's mean loss.
type mesh struct {
	devices *distributed.DeviceMesh
	inputs  []*distributed.ShardingSpec // of network.trainGraph
	copied  *distributed.ShardingSpec
}

func newMesh(devices int) (*mesh, error) {
	const axis = "batch"
	row, err := distributed.NewDeviceMesh([]int{devices}, []string{axis})
	if err != nil {
		return nil, err
	}
	split, err := distributed.BuildSpec(row).S(axis).Done()
	if err != nil {
		return nil, err
	}
	copied := distributed.NewReplicatedShardingSpec(row)
	return &mesh{row, []*distributed.ShardingSpec{split, split, copied, copied}, copied}, nil
}

// distribute makes the mesh execute network.trainGraph. The variables of the exec's store
// are copied to all devices from then on.
func (m *mesh) distribute(exec *model.Exec) {
	exec.AutoSharding(m.devices).WithInputShardingSpecs(m.inputs...).WithOutputShardingSpecs(m.copied)
}

// spread returns the arguments of network.trainGraph as the devices take them.
func (m *mesh) spread(args []any) ([]any, error) {
	spread := make([]any, len(args))
	for i, arg := range args {
		tensor, err := tensors.FromAnyValue(arg)
		if err != nil {
			return nil, err
		}
		if spread[i], err = dtensor.ShardTensor(m.inputs[i], tensor); err != nil {
			return nil, err
		}
	}
	return spread, nil
}
