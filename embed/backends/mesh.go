package backends

import (
	"github.com/gomlx/compute/distributed"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/core/tensors/dtensor"
	"github.com/gomlx/gomlx/ml/model"
)

// A Mesh is a row of devices that compute the steps of a training together: each gets an
// equal part of the batch, and a copy of all else. XLA's partitioner (Shardy, after GSPMD,
// arXiv 2105.04663) splits the graph among them and lets them exchange what it needs, so
// that it still means the whole batch: losses of pairs and triplets see all of it, centers
// follow all images, and gradients are those of the batch's mean loss.
type Mesh struct {
	devices *distributed.DeviceMesh
	inputs  []*distributed.ShardingSpec
	copied  *distributed.ShardingSpec
}

// NewMesh returns a row of so many devices for a graph with these inputs: split says for
// each whether the devices share its first axis, or have a copy of it.
func NewMesh(devices int, split ...bool) (*Mesh, error) {
	const axis = "batch"
	row, err := distributed.NewDeviceMesh([]int{devices}, []string{axis})
	if err != nil {
		return nil, err
	}
	shared, err := distributed.BuildSpec(row).S(axis).Done()
	if err != nil {
		return nil, err
	}
	m := &Mesh{devices: row, copied: distributed.NewReplicatedShardingSpec(row)}
	for _, isSplit := range split {
		spec := m.copied
		if isSplit {
			spec = shared
		}
		m.inputs = append(m.inputs, spec)
	}
	return m, nil
}

// Distribute makes the devices execute a graph. The variables of its store are copied to
// all of them from then on, and so are its outputs.
func (m *Mesh) Distribute(exec *model.Exec) {
	exec.AutoSharding(m.devices).WithInputShardingSpecs(m.inputs...).WithOutputShardingSpecs(m.copied)
}

// Spread returns the inputs of the graph as the devices take them.
func (m *Mesh) Spread(inputs []any) ([]any, error) {
	spread := make([]any, len(inputs))
	for i, input := range inputs {
		tensor, err := tensors.FromAnyValue(input)
		if err != nil {
			return nil, err
		}
		if spread[i], err = dtensor.ShardTensor(m.inputs[i], tensor); err != nil {
			return nil, err
		}
	}
	return spread, nil
}
